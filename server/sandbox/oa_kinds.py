"""The kinds of documents the stand-in OA knows, with their forms.

Among them everything that a form can be: fields that only the approver fills in, that must be filled in,
that are hidden and carry their value all the same, detail tables, and one form of sixty fields.
"""

from typing import Any, Final

from server.sandbox.oa_forms import CODES, FieldSpec, Kind, TableSpec, Workflow

CATEGORIES: Final[dict[int, str]] = {
    1: "行政公文",
    2: "人事考勤",
    3: "采购合同",
    4: "后勤设备",
    5: "医疗质量",
}
GENERAL: Final = "公文审批"

_YES_OR_LATER: Final = (("0", "普通"), ("1", "秘密"), ("2", "机密"))
_WAYS: Final = (("0", "公开招标"), ("1", "询价"), ("2", "单一来源"))
_LEAVES: Final = (
    ("0", "年休假"),
    ("1", "病假"),
    ("2", "事假"),
    ("3", "产假"),
    ("4", "外出学习"),
)
_SIGNED: Final = (
    '<p>请各科室于<b>本月底</b>前完成自查，<a href="javascript:void(0)" '
    'onclick="openDoc(31)">附件一</a>为检查表。</p><p>联系人：医务科&nbsp;8026</p>'
)


def _field(name: str, label: str, kind: Kind = "text", **more: Any) -> FieldSpec:
    return FieldSpec(name, label, kind, **more)


# What every form begins with; the last of them is hidden and says what nobody outside should read.
_HEAD: Final = (
    _field("sqr", "申请人", "person", must=(0,)),
    _field("sqbm", "申请部门", "department", must=(0,)),
    _field("sqrq", "申请日期", "date", must=(0,)),
    _field("nbbz", "内部备注", view=False, edit=(), samples=("仅供院办参考，不对外公开",)),
)
_FILES: Final = _field("fj", "附件", "files")
_WHY: Final = _field("sy", "事由", "long", must=(0,), samples=("因工作需要，特此申请，请予审批。",))

_GOODS: Final = TableSpec(
    "采购明细",
    (
        _field("mc", "名称", must=(0,), samples=("心电监护仪", "一次性注射器", "检验试剂盒")),
        _field("sl", "数量", "number", must=(0,)),
        _field("dj", "单价", "money"),
        _field("bz", "备注", samples=("参数见附件",)),
    ),
)
_PARTIES: Final = TableSpec(
    "合同相对方",
    (
        _field("dw", "单位名称", must=(0,), samples=("康泰后勤服务有限公司", "洁安环保有限公司")),
        _field("lxr", "联系人", samples=("王经理", "李主任")),
        _field("dh", "电话", samples=("0571-88000000",)),
    ),
)
_PAYMENTS: Final = TableSpec(
    "付款计划",
    (
        _field("rq", "付款日期", "date", must=(0,)),
        _field("je", "金额", "money", must=(0,)),
        _field("zf", "已支付", "check", edit=(0, 1, 2)),
        _field("pz", "凭证", "files"),
    ),
)


def _large_form() -> tuple[FieldSpec, ...]:
    """Sixty fields of every kind in turn, some of them filled in only later, some hidden."""
    kinds: tuple[Kind, ...] = tuple(CODES)
    fields = []
    for number in range(1, 61):
        kind = kinds[(number - 1) % len(kinds)]
        fields.append(
            FieldSpec(
                f"field{number:02d}",
                f"第{number}项",
                kind,
                edit=() if kind == "special" else (0, 1) if number % 4 == 0 else (0,),
                must=(0,) if number % 10 == 1 else (),
                view=number % 20 != 0,
                options=(("0", "甲"), ("1", "乙"), ("2", "丙")) if kind == "choice" else (),
                samples=(_SIGNED,) if kind == "long" else (),
            )
        )
    return tuple(fields)


_BOTH_REPLIES: Final = {
    "submit": "批准",
    "subnoback": "批准（不需反馈）",
    "subback": "批准（需反馈）",
    "reject": "退回",
    "forward": "转发",
}

WORKFLOWS: Final[tuple[Workflow, ...]] = (
    Workflow(
        1,
        GENERAL,
        1,
        (
            _field("sqr", "申请人", "person"),
            _field("sqbm", "申请部门", "department"),
            _field("sy", "事由", "long", samples=("请领导审批。",)),
            _FILES,
            _field("ldps", "领导批示", "long", edit=(1, 2)),
        ),
    ),
    Workflow(
        11,
        "发文审批",
        1,
        (
            *_HEAD,
            _field("wh", "文号", samples=("院发〔2026〕31号", "院办〔2026〕8号")),
            _field("mj", "密级", "choice", must=(0,), options=_YES_OR_LATER),
            _field("zsbm", "主送部门", "departments", must=(0,)),
            _field("zw", "正文", "long", must=(0,), samples=(_SIGNED,)),
            _FILES,
            _field("gk", "院内公开", "check"),
            _field("qfyj", "签发意见", "long", edit=(1, 2)),
        ),
        offers=_BOTH_REPLIES,
    ),
    Workflow(
        12,
        "请假申请",
        2,
        (
            *_HEAD,
            _field("qjlx", "请假类型", "choice", must=(0,), options=_LEAVES),
            _field("ksrq", "开始日期", "date", must=(0,)),
            _field("kssj", "开始时间", "time"),
            _field("jsrq", "结束日期", "date", must=(0,)),
            _field("jssj", "结束时间", "time"),
            _field("ts", "天数", "decimal", must=(0,)),
            _WHY,
            _field("dlr", "代班人", "person"),
            _field("zm", "证明材料", "files"),
        ),
    ),
    Workflow(
        13,
        "采购申请",
        3,
        (
            *_HEAD,
            _field("cgfs", "采购方式", "choice", must=(0,), options=_WAYS),
            _field("ysje", "预算金额", "money", must=(0,)),
            _WHY,
            _field("jj", "加急", "check"),
            _FILES,
            _field("pzje", "批准金额", "money", edit=(1, 2), must=(1,)),
        ),
        (_GOODS,),
    ),
    Workflow(
        14,
        "设备维修",
        4,
        (
            *_HEAD,
            _field("sbmc", "设备名称", must=(0,), samples=("呼吸机", "CT机房空调", "3号电梯")),
            _field("sbbh", "设备编号", samples=("SB-2019-0417",)),
            _field("gzms", "故障描述", "long", must=(0,), samples=("开机后报警，无法使用。",)),
            _field("zp", "现场照片", "files"),
            _field("wxgs", "维修工时", "decimal", edit=(1,)),
        ),
        offers={"submit": "受理", "reject": "退回", "forward": "转办"},
    ),
    Workflow(
        15,
        "信息系统变更",
        4,
        (
            *_HEAD,
            _field("xt", "系统名称", must=(0,), samples=("门诊叫号系统", "电子病历系统")),
            _field("bgrq", "变更日期", "date", must=(0,)),
            _field("bgsj", "变更时间", "time"),
            _WHY,
            _field("htfa", "回退方案", "long", samples=("恢复前一晚的备份。",)),
            _FILES,
        ),
    ),
    Workflow(
        16,
        "合同会签",
        3,
        (
            *_HEAD,
            _field("htmc", "合同名称", must=(0,), samples=("保洁服务合同", "后勤维保合同")),
            _field("htje", "合同金额", "money", must=(0,)),
            _field("jehz", "金额大写", "money_words"),
            _field("hqr", "会签人", "people"),
            _field("htwb", "合同文本", "files", must=(0,)),
        ),
    ),
    Workflow(
        17,
        "院感上报",
        5,
        (
            *_HEAD,
            _field("ks", "科室", "department", must=(0,)),
            _field("ls", "例数", "number", must=(0,)),
            _field("ms", "情况说明", "long", samples=("已按规范隔离，消毒记录见附件。",)),
            _FILES,
        ),
        offers={"submit": "已核实", "forward": "转发"},
    ),
    Workflow(
        18,
        "收文",
        1,
        (
            *_HEAD,
            _field("lwdw", "来文单位", must=(0,), samples=("市卫生健康委员会", "市医疗保障局")),
            _field("lwwh", "来文字号", samples=("卫医发〔2026〕12号",)),
            _field("lwrq", "来文日期", "date", must=(0,)),
            _field("nbyj", "拟办意见", "long", samples=("请医务科牵头办理。",)),
            _field("lwfj", "来文附件", "files"),
            _field("xgwd", "相关文档", "document"),
        ),
        creators=(1, 2, 3, 4, 5),
        offers={"submit": "阅办", "forward": "转办"},
    ),
    Workflow(
        19,
        "会签",
        3,
        (
            *_HEAD,
            _field("hqsx", "会签事项", must=(0,), samples=("后勤社会化服务项目会签",)),
            _field("hqbm", "会签部门", "departments", must=(0,)),
            _field("zje", "总金额", "money"),
            _FILES,
            _field(
                "hqjl",
                "会签结论",
                "choice",
                edit=(1, 2),
                options=(("0", "同意"), ("1", "有条件同意")),
            ),
        ),
        (_PARTIES, _PAYMENTS),
    ),
    Workflow(20, "大表单", 5, _large_form(), (_GOODS, _PAYMENTS)),
    Workflow(21, "设备维修（旧版）", 4, is_retired=True),
)

BY_ID: Final = {one.id: one for one in WORKFLOWS}
_BY_NAME: Final = {one.name: one for one in WORKFLOWS}


def workflow_named(name: str) -> Workflow:
    """The kind of this name; any other is the general one under that name."""
    found = _BY_NAME.get(name)
    if found is not None:
        return found
    general = _BY_NAME[GENERAL]
    return Workflow(general.id, name, general.category, general.fields)
