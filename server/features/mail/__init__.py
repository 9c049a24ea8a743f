"""Mail between staff: each mail once, a copy for everybody who holds it, recalled while it is unread."""

from server.feature import Feature, Rate, allow, staff
from server.features.mail import keeping, reading, sending
from server.features.mail.delivery import delivering
from server.features.mail.documents import Copy, Delivery, Mail, MailBody, Mailbox
from server.features.mail.duty import MailDuty
from server.features.mail.protocol import MailCounted, MailRead
from server.features.mail.seeding import seed_mail

feature = Feature(
    "mail",
    commands=[
        *allow(staff, sending.send_mail, rate=Rate(burst=10, per_second=0.2)),
        *allow(staff, keeping.recall_mail, rate=Rate(burst=10, per_second=0.5)),
        *allow(
            staff,
            reading.list_mail,
            reading.open_mail,
            reading.list_readers,
            keeping.delete_mail,
            keeping.set_read,
            rate=Rate(burst=60, per_second=5),
        ),
        *allow(staff, reading.count_mail),
        *allow(staff, reading.search_mail, rate=Rate(burst=20, per_second=3)),
    ],
    events=[MailCounted, MailRead],
    documents=[Mail, MailBody, Copy, Mailbox, Delivery],
    duties=[MailDuty],
    parts=[delivering],
    seed=seed_mail,
)
