"""Mails put into a sandbox as if they had been sent lately: an inbox that has something in it.

Who writes to whom is chosen from the directory in order of id. Everything is settled: nobody is owed a
notice for what was seeded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from server.auth import Role
from server.clock import Millis
from server.directory import Directory
from server.directory.audience import Audience
from server.features.mail.documents import Copy, Mail, Mailbox, received_copy, sent_copy
from server.features.mail.sending import body, excerpt
from server.ids import made_id
from server.storage import Store
from server.work import SystemWork, UnitOfWork

MINUTE_MS: Final = 60_000
PEOPLE: Final = 12


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that was sent. People are counted from 0 in order of id; `answers` is the place of the
    letter it replies to; `read_by` are those recipients who have read it."""

    sender: int
    to: tuple[int, ...]
    hours_ago: float
    subject: str
    text: str
    read_by: tuple[int, ...] = ()
    answers: int | None = None


ALL: Final = tuple(range(PEOPLE))

LETTERS: Final[tuple[Letter, ...]] = (
    Letter(
        6,
        tuple(n for n in ALL if n != 6),
        74.0,
        "关于召开医疗质量与安全例会的通知",
        "各位主任、护士长：\n\n兹定于本周五下午三点在行政楼三楼会议室召开本月医疗质量与安全例会。\n\n"
        "议程：\n一、上月不良事件分析\n二、手术安全核查执行情况\n三、抗菌药物使用强度\n\n"
        "请各科准备三分钟汇报，材料于周四中午前发院办。",
        read_by=(0, 1, 2, 4, 5, 7, 8),
    ),
    Letter(
        1,
        (0, 5),
        52.0,
        "心内科专家门诊加开半天的安排",
        "下周一起心内科专家门诊每周加开半天，号源二十五个。\n\n请科里确认出诊人员，周三前回复医务部，"
        "以便门诊部放号。",
        read_by=(0, 5),
    ),
    Letter(
        5,
        (0, 1),
        49.5,
        "回复：心内科专家门诊加开半天的安排",
        "同意。周一下午由科里两位主治轮流出诊，排班表见科室共享盘。",
        read_by=(0, 1),
        answers=1,
    ),
    Letter(
        0,
        (1, 5),
        47.0,
        "回复：心内科专家门诊加开半天的安排",
        "收到。我负责单周，请把诊间安排在二号楼，靠近心电图室。",
        read_by=(1,),
        answers=1,
    ),
    Letter(
        3,
        (0, 2, 4, 7),
        30.0,
        "医嘱系统周三夜间升级说明",
        "本周三夜间一点到三点医嘱系统升级，期间门诊收费与检验申请改用应急单。\n\n"
        "升级内容：\n1. 药品字典支持首字母检索\n2. 腕带打印纸型修正\n3. 危急值回执显示经手人\n\n"
        "如有问题请拨信息中心值班电话。",
        read_by=(2, 4),
    ),
    Letter(
        2,
        (0, 8, 9, 10, 11),
        26.0,
        "压疮上报表更新",
        "压疮上报表有新版，旧表下月起不再接收。新版增加了来源科室与分期两栏，请各组组长组织学习。",
        read_by=(8, 9),
    ),
    Letter(
        0,
        (2, 5),
        22.0,
        "周五业务学习课件",
        "周五下午两点半业务学习的课件已经做好，题目是急性冠脉综合征的早期识别。\n\n请护士长协助通知夜班同事看回放。",
        read_by=(2,),
    ),
    Letter(
        7,
        (0, 1, 2, 3, 5, 6),
        8.0,
        "重点监控药品本月使用情况",
        "附上本月重点监控药品的使用情况，环比下降百分之六。\n\n个别科室仍有超适应证用药，临床药师将于下周到科室沟通。",
        read_by=(6,),
    ),
    Letter(
        4,
        ALL[:4] + ALL[5:],
        3.0,
        "春节值班表征求意见",
        "春节期间值班表初稿已排好，请各科核对本科室的值班人员与联系电话，如需调整请于后天下班前回复院办。",
        read_by=(1, 3),
    ),
    Letter(
        5,
        (0,),
        0.6,
        "明早查房请提前十分钟",
        "明早院领导参加查房，请提前十分钟到示教室，把三例疑难病例的资料准备好。",
    ),
)


async def seed_mail(store: Store, system: SystemWork, directory: Directory) -> None:
    """Send the letters, if there is no mail and there are people enough."""
    staff = [person for person in directory.active() if Role.SYSTEM_ADMIN not in person.roles]
    people = sorted(person.id for person in staff)[:PEOPLE]
    if len(people) == PEOPLE and not await store.scan(Mail.collection.name, limit=1):
        await system.do(lambda work: _send_all(work, people, directory))


async def _send_all(work: UnitOfWork, people: Sequence[str], directory: Directory) -> None:
    mails: list[Mail] = []
    for place, letter in enumerate(LETTERS):
        mail = _mail(letter, place, people, mails, work.now)
        mails.append(mail)
        work.put(mail)
        work.insert(body(mail, letter.text, directory))
        for copy in _copies(mail, letter, people):
            work.insert(copy)
    for person_id in people:
        work.put(Mailbox(id=person_id, revision=1))


def _mail(
    letter: Letter, place: int, people: Sequence[str], mails: Sequence[Mail], now: Millis
) -> Mail:
    sender_id = people[letter.sender]
    id = made_id(Mail.collection.name, sender_id, f"seed-{place}")
    return Mail(
        id=id,
        thread_id=id if letter.answers is None else mails[letter.answers].thread_id,
        sender_id=sender_id,
        to=Audience(person_ids=tuple(people[number] for number in letter.to)),
        recipient_count=len(letter.to),
        subject=letter.subject,
        excerpt=excerpt(letter.text),
        length=len(letter.text),
        sent_at=Millis(now - round(letter.hours_ago * 60) * MINUTE_MS),
    )


def _copies(mail: Mail, letter: Letter, people: Sequence[str]) -> Iterator[Copy]:
    yield sent_copy(mail)
    for number in letter.to:
        copy = replace(received_copy(mail, people[number], mail.sent_at), owed=None)
        if number in letter.read_by:
            read_at = Millis(mail.sent_at + (number + 1) * MINUTE_MS)
            copy = replace(copy, unread=None, read_at=read_at)
        yield copy
