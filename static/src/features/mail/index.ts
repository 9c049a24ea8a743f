/* 邮件: between people and departments of the house, recalled while it is unread. */
import { badge, screen, type AppFeature } from "../../shell/feature"
import { read } from "../../store/kept"

export const UNSENT = "mail unsent"

const number = badge("mail.count", "mail.counted", ({ unread }) => unread)
export const unread = number.n

/** A mail that was written and not sent goes out after a reload, though no screen of mail is open. */
async function resume(): Promise<void> {
  if (!(await read<unknown[]>("state", UNSENT))?.length) return
  const { useUnsent } = await import("./unsent")
  await useUnsent().restore()
}

const boxes = (): Promise<unknown> => import("./Boxes.vue")

export const mail: AppFeature = {
  title: { zh: "邮件", en: "Mail" },
  icon: "mail",
  path: "/mail",
  group: "office",
  routes: [
    screen("/mail", boxes),
    screen("/mail/sent", boxes),
    screen("/mail/search", boxes),
    screen("/mail/new", () => import("./NewMail.vue")),
    screen("/m/:mailId", () => import("./Thread.vue")),
  ],
  badge: {
    ...number,
    refresh: async () => {
      await Promise.all([number.refresh(), resume()])
    },
  },
  onCard: { title: { zh: "写邮件", en: "Write mail" }, icon: "mail", to: (personId) => `/mail/new?to=${encodeURIComponent(personId)}` },
}
