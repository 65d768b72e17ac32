-- Reports of the roles become JSON instead of sentences.

ALTER TABLE role_status ADD COLUMN report TEXT CHECK (json_valid(report));

-- What the next report would not bring back by itself: where posting and notifying had come to.
UPDATE role_status SET report = json_object('kind', 'since', 'ms', CAST(note AS INTEGER))
WHERE role = 'notifications' AND note <> '';

UPDATE role_status
SET report = json_object(
        'kind', 'posted',
        'row', CAST(note AS INTEGER),
        'begun', iif(instr(note, ' ') > 0, CAST(substr(note, instr(note, ' ') + 1) AS INTEGER), NULL))
WHERE role LIKE 'discord_trail%' AND note <> '';

UPDATE role_status SET role = 'audit_log_of_operator' WHERE role = 'discord_trail';

UPDATE role_status SET role = 'audit_log_of_merchants' WHERE role = 'discord_trail_merchants';

DELETE FROM role_status WHERE role IN ('discord_commands', 'untrusted proxy');

ALTER TABLE role_status DROP COLUMN note;
