/* The end of something I did with a document is told wherever I am by then. */
import { stream } from "../../wire/connection"

const store = (): Promise<typeof import("./store")> => import("./store")

stream.on("documents.acted", ({ request_id, title, act }) => {
  void store().then(({ useDocuments }) => useDocuments().ended(request_id, title, act))
})
