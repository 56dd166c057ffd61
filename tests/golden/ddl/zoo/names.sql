CREATE TABLE `select ``from "x"` (`a b` INT, `ctid` INT, `xmin` INT, `Größe` VARCHAR(10) COMMENT 'ü', `key` INT, `UPPER` INT, PRIMARY KEY (`a b`), KEY `weird key` (`Größe`), KEY `a_very_long_name_that_has_sixty_four_characters_in_it_0123456789` (`key`));
CREATE TABLE `a_table_whose_name_is_as_long_as_it_may_be_sixty_four_characters` (id INT PRIMARY KEY, b INT, KEY `b` (b));
CREATE TABLE `größer_als_dreiundsechzig_bytes_äöüäöüäöüäöüäöüäöüäöüäöü` (id INT PRIMARY KEY, b INT, KEY `b` (b))
