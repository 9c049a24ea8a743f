"""The made-up hospital's departments: a tree in the usual order, with how many work in each."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["leaders", "office", "ward", "nursing", "clinic", "lab", "pharmacy", "logistics", ""]


@dataclass(frozen=True, slots=True)
class Unit:
    """A department. `weight` is its share of the staff; 0 for one that only holds others."""

    slug: str
    name: str
    kind: Kind
    weight: int
    parent: str = ""


def _below(parent: str, kind: Kind, *units: tuple[str, str, int]) -> tuple[Unit, ...]:
    return tuple(Unit(slug, name, kind, weight, parent) for slug, name, weight in units)


UNITS: Final[tuple[Unit, ...]] = (
    Unit("leaders", "院领导", "leaders", 8),
    Unit("offices", "职能部门", "", 0),
    *_below(
        "offices",
        "office",
        ("hospital-office", "院办公室", 11),
        ("party-office", "党委办公室", 7),
        ("discipline", "纪检监察室", 5),
        ("personnel", "人力资源部", 11),
        ("medical-affairs", "医务部", 15),
        ("nursing-affairs", "护理部", 11),
        ("quality", "质量管理部", 7),
        ("research", "科教部", 10),
        ("finance", "财务部", 21),
        ("insurance", "医保办公室", 11),
        ("informatics", "信息中心", 20),
        ("publicity", "宣传部", 6),
        ("infection-control", "院感管理部", 7),
        ("audit", "审计部", 5),
        ("procurement", "采购中心", 9),
        ("records", "病案室", 13),
        ("union", "工会", 4),
    ),
    Unit("clinical", "临床科室", "", 0),
    Unit("internal", "内科", "", 0, "clinical"),
    *_below(
        "internal",
        "ward",
        ("cardiology", "心血管内科", 56),
        ("respiratory", "呼吸与危重症医学科", 46),
        ("gastroenterology", "消化内科", 42),
        ("neurology", "神经内科", 48),
        ("endocrinology", "内分泌科", 30),
        ("nephrology", "肾内科", 32),
        ("haematology", "血液内科", 28),
        ("rheumatology", "风湿免疫科", 20),
        ("geriatrics", "老年医学科", 26),
        ("infectious", "感染性疾病科", 28),
    ),
    *_below("cardiology", "ward", ("ccu", "冠心病监护病房", 20)),
    *_below("nephrology", "nursing", ("dialysis", "血液净化中心", 22)),
    Unit("surgical", "外科", "", 0, "clinical"),
    *_below(
        "surgical",
        "ward",
        ("general-surgery", "普通外科", 50),
        ("orthopaedics", "骨科", 52),
        ("neurosurgery", "神经外科", 36),
        ("thoracic", "胸外科", 24),
        ("urology", "泌尿外科", 30),
        ("cardiac-surgery", "心脏大血管外科", 24),
        ("colorectal", "肛肠外科", 20),
        ("breast", "甲状腺乳腺外科", 26),
        ("burns", "烧伤整形科", 16),
        ("anaesthesia", "麻醉科", 40),
    ),
    *_below("surgical", "nursing", ("theatre", "手术室", 56)),
    Unit("obgyn", "妇产科", "", 0, "clinical"),
    *_below(
        "obgyn",
        "ward",
        ("obstetrics-1", "产科一组", 30),
        ("obstetrics-2", "产科二组", 28),
        ("gynaecology", "妇科", 36),
    ),
    *_below("obgyn", "nursing", ("delivery", "产房", 24)),
    Unit("paediatrics", "儿科", "", 0, "clinical"),
    *_below(
        "paediatrics",
        "ward",
        ("paediatric-ward", "儿科病区", 34),
        ("neonatology", "新生儿科", 30),
    ),
    *_below(
        "clinical",
        "ward",
        ("emergency", "急诊医学科", 54),
        ("icu", "重症医学科", 44),
        ("oncology", "肿瘤科", 34),
        ("rehabilitation", "康复医学科", 30),
    ),
    *_below(
        "clinical",
        "clinic",
        ("ophthalmology", "眼科", 24),
        ("ent", "耳鼻咽喉科", 24),
        ("stomatology", "口腔科", 26),
        ("dermatology", "皮肤科", 18),
        ("chinese-medicine", "中医科", 20),
        ("outpatients", "门诊部", 24),
        ("check-ups", "体检中心", 18),
    ),
    Unit("technical", "医技科室", "", 0),
    *_below(
        "technical",
        "lab",
        ("laboratory", "检验科", 44),
        ("radiology", "放射科", 42),
        ("ultrasound", "超声医学科", 32),
        ("pathology", "病理科", 20),
        ("nuclear", "核医学科", 11),
        ("transfusion", "输血科", 10),
        ("endoscopy", "内镜中心", 18),
        ("ecg", "心电诊断科", 11),
    ),
    Unit("pharmacy", "药学部", "", 0),
    *_below(
        "pharmacy",
        "pharmacy",
        ("outpatient-pharmacy", "门诊药房", 26),
        ("inpatient-pharmacy", "住院药房", 24),
        ("infusion", "静脉用药调配中心", 20),
        ("clinical-pharmacy", "临床药学室", 8),
    ),
    Unit("logistics", "后勤保障部", "", 0),
    *_below(
        "logistics",
        "logistics",
        ("general-affairs", "总务科", 17),
        ("equipment", "设备科", 17),
        ("security", "保卫科", 28),
        ("catering", "膳食科", 18),
        ("construction", "基建科", 7),
        ("transport", "车队", 11),
        ("sterile-supply", "消毒供应中心", 22),
    ),
)

# Who leads first, then the others with their shares in hundred.
Titles = tuple[tuple[str, ...], tuple[tuple[str, int], ...]]

TITLES: Final[dict[Kind, Titles]] = {
    "leaders": (
        (
            "党委书记",
            "院长",
            "副院长",
            "副院长",
            "副院长",
            "纪委书记",
            "总会计师",
            "工会主席",
        ),
        (("院长助理", 100),),
    ),
    "office": (("主任", "副主任"), (("科员", 55), ("主管", 25), ("干事", 20))),
    "ward": (
        ("科主任", "护士长"),
        (
            ("副主任", 3),
            ("主任医师", 6),
            ("副主任医师", 9),
            ("主治医师", 13),
            ("住院医师", 12),
            ("主管护师", 17),
            ("护师", 24),
            ("护士", 16),
        ),
    ),
    "nursing": (
        ("护士长", "副护士长"),
        (("主管护师", 25), ("护师", 40), ("护士", 30), ("主治医师", 5)),
    ),
    "clinic": (
        ("科主任", "护士长"),
        (
            ("主任医师", 10),
            ("副主任医师", 18),
            ("主治医师", 24),
            ("住院医师", 16),
            ("主管护师", 12),
            ("护师", 20),
        ),
    ),
    "lab": (
        ("科主任", "技师长"),
        (("副主任技师", 10), ("主管技师", 30), ("技师", 42), ("诊断医师", 18)),
    ),
    "pharmacy": (
        ("组长",),
        (("副主任药师", 10), ("主管药师", 35), ("药师", 40), ("药士", 15)),
    ),
    "logistics": (("科长", "副科长"), (("班组长", 12), ("技工", 43), ("工勤", 45))),
}

ENGINEERS: Final = (("工程师", 55), ("高级工程师", 20), ("助理工程师", 25))
"""What the information centre's people are called, who sit in an office but are not its clerks."""
