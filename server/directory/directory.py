"""The people and departments of the hospital, held in memory by every node.

Everybody asks for names all the time and they change rarely, so the directory is read once at the
start. Whoever changes a person or a department hands the new documents to `refresh` after the
commit (`work.afterwards`); whoever changes many from outside calls `load` again.
"""

from collections.abc import Iterable, Mapping, Sequence

from server.auth import Role
from server.directory.documents import Department, Person
from server.directory.index import PeopleIndex
from server.directory.readings import sorting_key
from server.directory.tree import Branch, Tree
from server.errors import NotFound
from server.storage import Store
from server.storage.document import D, from_doc

PAGE = 1_000
MOST_FOUND = 100


class Directory:
    """Who there is. Retired people stay known by id, for old messages, and are found no other way."""

    def __init__(self) -> None:
        self._people: dict[str, Person] = {}
        self._departments: dict[str, Department] = {}
        self._by_account: dict[str, str] = {}
        self._by_wecom: dict[str, str] = {}
        self._with_oa: dict[str, list[str]] = {}
        self._by_oa: dict[str, str] = {}
        self._department_by_oa: dict[str, str] = {}
        self._index = PeopleIndex()
        self._tree: Tree | None = None

    async def load(self, store: Store) -> None:
        """Read everything again."""
        people = await read_all(store, Person)
        departments = await read_all(store, Department)
        gone = self._people.keys() - {person.id for person in people}
        for person_id in gone:
            del self._people[person_id]
            self._index.remove(person_id)
        self._departments = {}
        self.refresh(people, departments)

    def refresh(
        self, people: Iterable[Person] = (), departments: Iterable[Department] = ()
    ) -> None:
        """Take over documents as they have just been stored."""
        for person in people:
            if self._people.get(person.id) == person:
                continue
            self._people[person.id] = person
            if person.is_retired:
                self._index.remove(person.id)
            else:
                self._index.add(person)
        for department in departments:
            if department.is_retired:
                self._departments.pop(department.id, None)
            else:
                self._departments[department.id] = department
        self._by_account = {person.id.casefold(): person.id for person in self.active()}
        self._by_wecom = {
            p.wecom_user_id.casefold(): p.id for p in self.active() if p.wecom_user_id
        }
        self._with_oa = {}
        for person in self.active():
            if person.oa_user_id:
                self._with_oa.setdefault(person.oa_user_id, []).append(person.id)
        self._by_oa = {p.oa_user_id: p.id for p in self._people.values() if p.oa_user_id}
        self._department_by_oa = {
            d.oa_department_id: d.id for d in self._departments.values() if d.oa_department_id
        }
        self._tree = None

    # People

    def person(self, person_id: str) -> Person | None:
        """Somebody by id, retired or not."""
        return self._people.get(person_id)

    def find(self, person_id: str) -> Person:
        """Somebody who works here. Raises NotFound, for retired people too."""
        person = self._people.get(person_id)
        if person is None or person.is_retired:
            raise NotFound("there is no such person")
        return person

    def people(self, person_ids: Iterable[str]) -> list[Person]:
        """Those of the ids that are known, retired or not, in the order given and each once."""
        known = (self._people.get(person_id) for person_id in dict.fromkeys(person_ids))
        return [person for person in known if person is not None]

    def active(self) -> list[Person]:
        """Everybody who works here."""
        return [person for person in self._people.values() if not person.is_retired]

    def by_account(self, account: str) -> Person | None:
        """Who signs in under an account, however it was capitalised; nobody who has retired."""
        return self._people.get(self._by_account.get(account.strip().casefold(), ""))

    def by_wecom(self, wecom_user_id: str) -> Person | None:
        """Whose WeCom id this is, however it was capitalised."""
        return self._people.get(self._by_wecom.get(wecom_user_id.casefold(), ""))

    def with_oa(self, oa_user: str) -> Sequence[str]:
        """The ids of those who work here under an account of the OA: one, unless it is shared."""
        return self._with_oa.get(oa_user, ())

    def wecom_user_of(self, person_id: str) -> str | None:
        """The WeCom user id of somebody who works here and has one."""
        person = self._people.get(person_id)
        return None if person is None or person.is_retired else person.wecom_user_id or None

    def by_oa(self, oa_user: str) -> Person | None:
        """Whose account in the OA this is, retired or not: old documents name them too."""
        return self._people.get(self._by_oa.get(oa_user, ""))

    def main_department(self, person_id: str) -> str:
        """What the department of somebody's first post is called; empty when there is none."""
        person = self._people.get(person_id)
        if person is None or not person.posts:
            return ""
        department = self.department(person.posts[0].department_id)
        return "" if department is None else department.name

    async def oa_users(self) -> Mapping[str, str]:
        """Everybody who has an OA account: person id to OA user id."""
        return {person.id: person.oa_user_id for person in self.active() if person.oa_user_id}

    def roles_of(self, person_id: str) -> frozenset[Role] | None:
        """The roles of somebody who works here, None for anybody else."""
        person = self._people.get(person_id)
        return None if person is None or person.is_retired else frozenset(person.roles)

    def named(self, name: str) -> list[str]:
        """Who works here under exactly this name: names are not unique."""
        return [person.id for person in self.active() if person.name == name]

    def search(self, query: str, limit: int = 20) -> list[Person]:
        """People by name, pinyin in any reading, initials, account, or part of a number."""
        return self._index.search(query, min(limit, MOST_FOUND))

    # Departments

    @property
    def tree(self) -> Sequence[Branch]:
        """All departments with their counts, each after its parent."""
        return self._grown().branches

    def branch(self, department_id: str) -> Branch | None:
        """A department by id, with its count."""
        return next((b for b in self.tree if b.department.id == department_id), None)

    def department(self, department_id: str) -> Department | None:
        """A department by id; none that was closed."""
        return self._departments.get(department_id)

    def department_by_oa(self, oa_department: str) -> Department | None:
        """The department that the OA calls so."""
        return self._departments.get(self._department_by_oa.get(oa_department, ""))

    @property
    def knows_oa_departments(self) -> bool:
        """Whether any department is known by the OA's name for it."""
        return bool(self._department_by_oa)

    def departments(self) -> list[Department]:
        """All departments."""
        return list(self._departments.values())

    def search_departments(self, query: str, limit: int = 10) -> list[Branch]:
        """Departments by name, pinyin or initials."""
        return self._grown().search(query, min(limit, MOST_FOUND))

    def people_below(self, department_id: str) -> frozenset[str]:
        """The ids of all who work in a department or below it; nobody in one that is not there."""
        return self._grown().below(department_id)

    def members(self, department_id: str, *, below: bool = False) -> list[Person]:
        """The people of a department: those who lead it first, then as in a phone book."""
        people = self.people(self._grown().members(department_id, below=below))
        return sorted(
            people, key=lambda p: (not _leads(p, department_id), sorting_key(p.name), p.id)
        )

    def _grown(self) -> Tree:
        if self._tree is None:
            self._tree = Tree(self._departments.values(), self.active())
        return self._tree


def _leads(person: Person, department_id: str) -> bool:
    return any(post.leads and post.department_id == department_id for post in person.posts)


async def read_all(store: Store, kind: type[D]) -> list[D]:
    """Every document of a kind, in order of id."""
    documents: list[D] = []
    after: str | None = None
    while docs := await store.scan(kind.collection.name, after, PAGE):
        documents += [from_doc(kind, doc) for doc in docs]
        after = docs[-1]["_id"]
    return documents
