"""Names for a made-up hospital: common surnames by how common they are, and many that read two ways."""

from typing import Final

SURNAMES: Final[tuple[tuple[str, int], ...]] = (
    *((surname, 70) for surname in "王李张刘陈"),
    *((surname, 35) for surname in "杨黄赵吴周徐孙马朱胡"),
    *((surname, 18) for surname in "郭何林高罗郑梁谢宋唐许韩邓冯曹彭"),
    *((surname, 10) for surname in "肖田董潘袁蔡蒋余于杜叶程魏苏吕丁沈"),
    *((surname, 6) for surname in "姚卢傅钟姜崔谭廖范汪陆金石戴方邱夏"),
    # Read otherwise as a surname than elsewhere, or in more than one way.
    *((surname, 5) for surname in "单曾仇翟查区解任华宁"),
    *((surname, 3) for surname in "盖尉朴覃乐缪冼洗黑员召种折燕纪盛葛那"),
    *((surname, 3) for surname in ("欧阳", "司马", "上官", "诸葛", "令狐", "皇甫")),
    *((surname, 2) for surname in ("尉迟", "万俟", "单于", "长孙", "澹台", "慕容", "司徒")),
)

_WOMEN: Final = (
    "丽 敏 静 芳 娟 艳 霞 燕 玲 婷 雪 梅 洁 颖 琳 萍 红 倩 莉 蕾 欣怡 雨桐 诗涵 梦瑶 思琪 佳慧 晓燕 "
    "丽华 淑芬 桂兰 雅婷 玉兰 春梅 海燕 文静 慧敏 美玲 晓彤 若曦 嘉怡 可欣 语嫣 乐瑶 冰洁 秀英 晨曦 "
    "月华 凤仪 佩瑶 书仪 宛如 静怡 紫薇 佳宁 亚楠 秋菊 爱华 翠萍 素珍 丹丹 娜 云 瑶 珊 璐 薇"
)

_MEN: Final = (
    "伟 强 磊 军 洋 勇 杰 涛 明 超 刚 鹏 辉 斌 波 浩 宇 飞 凯 健 建国 志强 国强 海波 浩然 子轩 宇航 "
    "俊杰 文博 天佑 振华 立新 永康 德明 家乐 晓东 卫东 学军 志远 明辉 嘉诚 少华 长青 朝阳 重阳 行健 "
    "一鸣 思远 泽宇 昊天 景行 承泽 剑锋 国华 新民 炳坤 宗泽 启明 正阳 柏年 峰 亮 凡 晖 政 诚"
)

WOMEN: Final = tuple(_WOMEN.split())
MEN: Final = tuple(_MEN.split())
