"""What a customer may mean, as choices under a question."""

from bot.actions.turn import Option

PERSON = Option("person", "转人工", "Talk to a person")
#: What a customer may mean, as choices: the intent they stand for and its words.
READINGS: dict[str, Option] = {
    "report_outage": Option("start:outage", "家里停电了", "My power is off"),
    "ask_outage_status": Option("start:outage_status", "问什么时候来电", "When power is back"),
    "ask_planned_outage": Option("start:planned", "问计划停电停水", "Planned cuts"),
    "meter_switch_problem": Option("start:meter", "开关跳闸、合不上", "A switch trips"),
    "prepaid_card_problem": Option("start:card", "电卡充值问题", "Prepaid card trouble"),
    "low_water_pressure": Option("start:water", "水压小", "Weak water"),
    "no_water": Option("start:water", "没有水", "No water"),
    "water_quality": Option("start:water_quality", "水质问题", "Water quality"),
    "ask_bill": Option("start:bill", "查账单", "My bill"),
    "make_complaint": Option("start:complaint", "投诉", "A complaint"),
    "ask_ticket_status": Option("start:ticket_status", "查工单进度", "My ticket"),
    "damage_claim": Option("start:damage_claim", "电器损坏索赔", "Damage claim"),
    "report_for_others": Option("start:others", "报告路上的故障", "Report a fault in the street"),
    "talk_to_human": PERSON,
}
#: What most customers come for.
STARTERS = ("report_outage", "no_water", "meter_switch_problem", "make_complaint", "talk_to_human")
