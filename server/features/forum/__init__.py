"""The forum: boards for an audience, posts with comments and likes, and moderators who keep order."""

from server.auth import Role
from server.feature import Feature, Rate, allow, having, staff
from server.features.forum import answers, boards, comments, hiding, posts
from server.features.forum.documents import Board, Comment, Like, Mark, Post
from server.features.forum.duty import ForumDuty
from server.features.forum.protocol import (
    AnsweredToMe,
    BoardChanged,
    Commented,
    Hidden,
    Liked,
    Posted,
)
from server.features.forum.rights import check_watching
from server.features.forum.seeding import seed

feature = Feature(
    "forum",
    commands=[
        *allow(
            staff,
            boards.list_boards,
            posts.list_posts,
            posts.show_post,
            answers.list_answers_to_me,
            rate=Rate(burst=30, per_second=5),
        ),
        *allow(staff, posts.write_post, rate=Rate(burst=5, per_second=0.1)),
        *allow(staff, comments.write_comment, rate=Rate(burst=10, per_second=0.5)),
        *allow(staff, posts.like_post, rate=Rate(burst=20, per_second=5)),
        *allow(staff, hiding.hide, rate=Rate(burst=20, per_second=1)),
        *allow(
            having(Role.SYSTEM_ADMIN),
            boards.save_board,
            boards.show_board_settings,
            rate=Rate(burst=20, per_second=1),
        ),
    ],
    events=[Posted, Commented, Liked, Hidden, BoardChanged, AnsweredToMe],
    documents=[Board, Post, Comment, Like, Mark],
    watching={"forum": check_watching},
    duties=[ForumDuty],
    seed=seed,
)
