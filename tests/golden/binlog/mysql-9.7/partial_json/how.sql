-- 9.7.4-2, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY, j JSON, k JSON, x INT);
SET binlog_row_value_options = PARTIAL_JSON;
INSERT INTO t VALUES (1, '{"a": 1, "b": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "c": [1, 2, 3, {"d": 1}], "k e": 5}', '{"a": 1, "b": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "c": [1, 2, 3, {"d": 1}], "k e": 5}', 1), (2, '{"a": 1, "b": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "c": [1, 2, 3, {"d": 1}], "k e": 5}', NULL, 2);
UPDATE t SET j = JSON_SET(j, '$.a', JSON_OBJECT('q', 1.5));
UPDATE t SET j = JSON_REMOVE(j, '$.c[1]'), x = 5;
UPDATE t SET k = JSON_SET(k, '$."k e"', 'zz'), j = JSON_INSERT(j, '$.new', 7) WHERE id = 1;
UPDATE t SET j = JSON_ARRAY_INSERT(j, '$.c[0]', 'ins'), k = JSON_REMOVE(k, '$.b');
UPDATE t SET j = JSON_REPLACE(j, '$.b', 'short'), k = NULL;
