"""Messages to residents, staff and the bureau: their texts, their delivery, reminders."""
