"""A dump as mysqldump writes it, restored at the source."""

from __future__ import annotations

from typing import Final

from tests.integration.links.changes.scenario import Scenario

DUMP: Final = """
/*!40101 SET NAMES utf8mb4 */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
DROP TABLE IF EXISTS `invoice`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8 */;
CREATE TABLE `invoice` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `customer` int(11) NOT NULL,
  `total` decimal(10,2) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `customer` (`customer`),
  CONSTRAINT `invoice_ibfk_1` FOREIGN KEY (`customer`) REFERENCES `people` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4;
/*!40101 SET character_set_client = @saved_cs_client */;
LOCK TABLES `invoice` WRITE;
/*!40000 ALTER TABLE `invoice` DISABLE KEYS */;
{invoices}/*!40000 ALTER TABLE `invoice` ENABLE KEYS */;
UNLOCK TABLES;
DROP TABLE IF EXISTS `people`;
CREATE TABLE `people` (
  `id` int(11) NOT NULL,
  `name` varchar(20) DEFAULT NULL,
  `boss` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `name` (`name`),
  KEY `boss` (`boss`),
  CONSTRAINT `people_ibfk_1` FOREIGN KEY (`boss`) REFERENCES `people` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
LOCK TABLES `people` WRITE;
/*!40000 ALTER TABLE `people` DISABLE KEYS */;
INSERT INTO `people` VALUES (1,'Ada',NULL),(2,'Bob',1);
/*!40000 ALTER TABLE `people` ENABLE KEYS */;
UNLOCK TABLES;
/*!50001 DROP VIEW IF EXISTS `rich`*/;
SET @saved_cs_client     = @@character_set_client;
/*!50001 CREATE VIEW `rich` AS SELECT 1 AS `id`, 1 AS `total` */;
/*!50001 DROP VIEW IF EXISTS `rich`*/;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=CURRENT_USER SQL SECURITY DEFINER */
/*!50001 VIEW `rich` AS select `invoice`.`id` AS `id`,`invoice`.`total` AS `total` from `invoice` where `invoice`.`total` > 100 */;
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
{after}
"""
INVOICES: Final = "INSERT INTO `invoice` VALUES (1,1,10.50),(2,2,200.00);\n"
AFTER: Final = "DELETE FROM people WHERE id = 2;\nINSERT INTO invoice (customer, total) VALUES (1, 5);\n"


def dump(invoices: str = INVOICES) -> str:
    return DUMP.replace("{invoices}", invoices).replace("{after}", AFTER)


DUMPS: Final = {
    "a dump is restored": Scenario(change=dump(), unheeded=True),
    "a dump is restored over what was there": Scenario(
        before=dump(), change="UPDATE people SET name = CONCAT(name, id);\n" + dump(), again=True, unheeded=True
    ),
    "a dump without children": Scenario(before=dump(), change=dump("")),
}
