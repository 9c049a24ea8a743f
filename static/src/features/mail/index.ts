/* 邮件: between people and departments of the house, recalled while it is unread. */
import { badge, screen, type AppFeature } from "../../shell/feature"
import { readAll } from "../../store/kept"

export const UNSENT = "mail unsent"

const screens = (): Promise<typeof import("./screens")> => import("./screens")
const boxes = (): Promise<unknown> => screens().then(({ Boxes }) => Boxes)

const number = badge("mail.count", "mail.counted", ({ unread }) => unread)
export const unread = number.n

/** A mail that was written and not sent goes out after a reload, though no screen of mail is open. */
async function resume(): Promise<void> {
  if (!(await readAll("state", UNSENT)).length) return
  const { useUnsent } = await screens()
  await useUnsent().restore()
}

export const mail: AppFeature = {
  title: { zh: "邮件", en: "Mail" },
  icon: "mail",
  path: "/mail",
  group: "office",
  routes: [
    screen("/mail", boxes),
    screen("/mail/sent", boxes),
    screen("/mail/search", boxes),
    screen("/mail/new", () => screens().then(({ NewMail }) => NewMail)),
    screen("/m/:mailId", () => screens().then(({ Thread }) => Thread)),
  ],
  badge: {
    ...number,
    refresh: async () => {
      await Promise.all([number.refresh(), resume()])
    },
  },
  onCard: { title: { zh: "写邮件", en: "Write mail" }, icon: "mail", to: (personId) => `/mail/new?to=${encodeURIComponent(personId)}` },
}
