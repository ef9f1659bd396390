-- A copied database must neither talk to the real service nor be talked to by it. (Odoo itself stops the crons.)
UPDATE leadline_connection
   SET secret = NULL,
       url = 'https://neutralized.invalid',
       state = 'new',
       failure = NULL,
       way = NULL,
       way_code = NULL;

-- A code that was typed in and not used yet.
DELETE FROM leadline_pairing;
