"""Columns of work-order exports as met in the wild: five common systems, and headings of spreadsheets."""

from collections.abc import Mapping

FIELDS = (
    "order",
    "site",
    "asset",
    "model",
    "location",
    "date",
    "finished",
    "status",
    "priority",
    "type",
    "description",
    "details",
    "problem",
    "component",
    "cause",
    "remedy",
    "parts",
    "plain",
)
# What is searched and shown as the order's text, in this order. `plain` is the description in clean words,
# where a file has it beside the raw one: shorthand is learned from the pair.
TEXT_FIELDS = ("description", "details", "problem", "component", "cause", "remedy", "parts", "plain")
DATE_FIELDS = ("date", "finished")

# Our field -> its columns; where one is empty the next one counts.
PRESETS: dict[str, Mapping[str, tuple[str, ...]]] = {
    "maximo": {
        "order": ("WONUM",),
        "site": ("SITEID",),
        "description": ("DESCRIPTION",),
        "details": ("LONGDESCRIPTION", "DESCRIPTION_LONGDESCRIPTION"),
        "asset": ("ASSETNUM",),
        "location": ("LOCATION",),
        "status": ("STATUS",),
        "type": ("WORKTYPE",),
        "priority": ("WOPRIORITY",),
        "date": ("REPORTDATE", "ACTSTART"),
        "finished": ("ACTFINISH",),
        "problem": ("PROBLEMCODE", "FAILURECODE"),
        "cause": ("CAUSE",),
        "remedy": ("REMEDY",),
        "parts": ("PARTS",),
    },
    # A notification without an order has only its QMNUM.
    "sap-pm": {
        "order": ("AUFNR", "QMNUM"),
        "site": ("SWERK", "IWERK", "WERKS"),
        "description": ("QMTXT", "KTEXT"),
        "asset": ("EQUNR",),
        "location": ("TPLNR",),
        "type": ("QMART", "AUART"),
        "priority": ("PRIOK",),
        "date": ("QMDAT", "ERDAT"),
        "finished": ("QMDAB",),
        "problem": ("FECOD",),
        "component": ("OTEIL",),
        "cause": ("URCOD",),
    },
    "upkeep": {
        "order": ("id",),
        "description": ("title",),
        "details": ("description",),
        "asset": ("assetId",),
        "location": ("locationId",),
        "status": ("status",),
        "priority": ("priority",),
        "type": ("category",),
        "date": ("createdAt", "dueDate"),
        "finished": ("completedAt",),
    },
    "maintainx": {
        "order": ("id", "sequentialId"),
        "description": ("title",),
        "details": ("description",),
        "asset": ("assetId",),
        "location": ("locationId",),
        "status": ("status",),
        "priority": ("priority",),
        "type": ("categories",),
        "date": ("createdAt", "dueDate"),
        "finished": ("completedAt",),
        "remedy": ("completionNotes",),
    },
    "fiix": {
        "order": ("code",),
        "site": ("site",),
        "description": ("description",),
        "asset": ("asset",),
        "status": ("status",),
        "priority": ("priority",),
        "type": ("maintenanceType", "type"),
        "date": ("dateCreated", "created", "dates", "date", "suggestedStartDate"),
        "finished": ("dateCompleted", "completed"),
        "remedy": ("completionNotes",),
    },
}
# Without this a preset does not fit; its other columns may be missing from an export.
PRESET_NEEDS = ("description",)
# Columns that no other system's export has: one of them, and the description, tells the preset.
PRESET_SIGNS: dict[str, tuple[str, ...]] = {
    "maximo": ("WONUM",),
    "sap-pm": ("AUFNR", "QMNUM"),
    "upkeep": ("assetId", "createdAt"),
    "maintainx": ("assetId", "completionNotes"),
}

# Our field -> headings met in exports and spreadsheets, squeezed to letters and digits, best first.
HEADINGS: dict[str, tuple[str, ...]] = {
    "order": (
        *("wonum", "aufnr", "woid", "workorder", "workorderno", "workordernumber", "workorderid", "wono"),
        *("order", "orderno", "ordernumber", "orderid", "ticket", "ticketno", "ticketid", "jobno", "qmnum"),
        *("notification", "notificationno", "requestno", "eventid", "recordid"),
        *("工单号", "工单编号", "维修单号", "工单", "单号", "单据编号", "报修单号", "编号", "id", "code"),
    ),
    "site": (
        *("siteid", "site", "plant", "plantid", "facility", "swerk", "werks"),
        *("厂区", "工厂", "厂别", "分厂", "基地"),
    ),
    "asset": (
        *("assetnum", "assettag", "assetid", "asset", "equipmentid", "equipmentno", "equipment", "equnr"),
        *("machineid", "machine", "machineno", "tag", "unit", "assetname", "equipmentname"),
        *("设备编号", "设备号", "设备编码", "机台号", "设备", "机台", "机号", "资产编号", "资产", "设备名称"),
    ),
    "model": ("model", "assetmodel", "machinemodel", "equipmentmodel", "型号", "设备型号", "规格型号"),
    "location": (
        *("location", "locationid", "tplnr", "functionallocation", "funclocation", "area", "line"),
        *("位置", "地点", "车间", "产线", "安装位置", "使用部门"),
    ),
    "date": (
        *("reportdate", "date", "reported", "reportedon", "created", "createdat", "opened", "startdate"),
        *("bscstartdate", "actstart", "qmdat", "datereported", "datecreated", "eventtime", "timestamp"),
        *("日期", "报修日期", "报修时间", "发生时间", "故障时间", "创建时间", "开始时间", "时间"),
        *("actualfinish", "actfinish", "completedat", "closed", "duedate"),
    ),
    "finished": (
        *("actualfinish", "actfinish", "finished", "completed", "completedat", "completedon", "closed"),
        *("closedat", "datecompleted", "enddate", "完成时间", "完成日期", "完工时间", "结束时间", "修复时间"),
    ),
    "status": ("status", "state", "wostatus", "状态", "工单状态"),
    "priority": ("priority", "wopriority", "workpriority", "优先级", "紧急程度"),
    "type": ("worktype", "type", "wotype", "pmtype", "qmart", "category", "类型", "工单类型", "维修类型"),
    "description": (
        *("description", "shorttext", "originalshorttext", "wodescription", "qmtxt", "title", "summary"),
        *("text", "subject", "工单描述", "故障描述", "问题描述", "描述", "简述", "标题", "内容"),
    ),
    "details": (
        *("longdescription", "longtext", "details", "detail", "comments", "comment", "remarks", "remark"),
        *("详细描述", "详情", "备注"),
    ),
    "problem": (
        *("problem", "problemcode", "symptom", "symptoms", "failure", "failuremode", "fault", "faultcode"),
        *("failurecode", "fecod", "complaint", "observed", "故障现象", "现象", "问题", "故障", "故障代码"),
    ),
    "component": (
        *("component", "part", "subassembly", "assembly", "oteil", "objectpart", "部件", "故障部位", "部位"),
    ),
    "cause": ("cause", "rootcause", "causecode", "urcod", "reason", "原因", "故障原因", "根本原因"),
    "remedy": (
        *("remedy", "action", "actiontaken", "actions", "resolution", "solution", "workdone", "fix"),
        *("completionnotes", "correctiveaction", "workperformed", "notes"),
        *("处理", "处理方法", "处理措施", "处理过程", "维修措施", "维修内容", "解决方法", "解决措施"),
    ),
    "parts": (
        *("parts", "partsused", "material", "materials", "spares", "spareparts"),
        *("备件", "更换备件", "使用备件", "零件", "更换零件"),
    ),
    "plain": (
        *("cleandescription", "cleandescr", "cleanedtext", "cleantext", "cleanshorttext", "cleanedshorttext"),
        *("normalizedtext", "normalisedtext", "normalized", "normalised", "规范描述", "标准描述"),
    ),
}
