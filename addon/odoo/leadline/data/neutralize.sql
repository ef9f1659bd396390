-- A copied database must neither talk to the real service nor be talked to by it.
UPDATE leadline_connection
   SET secret = NULL,
       url = 'https://neutralized.invalid',
       state = 'new';
