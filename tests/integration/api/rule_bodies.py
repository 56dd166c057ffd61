"""Good bodies of the operations on rules of tables, for those who spoil them."""

from __future__ import annotations

from typing import Any

NOBODYS = "00000000-0000-0000-0000-0000000jb201"
ORDERS = "shop-*-*-orders"
OF_ORDERS = {
    "object_scope": "table",
    "object_info": {"shop": {"name": "shop", "tables": {"orders": {"type": "table"}}}},
}
CONTENT = {"filtering_type": "contentConditionalFilter", "value": "id > 1"}
EXTRA = {"column_name": "of", "column_type": "default_value", "column_value": "1", "data_type": "int"}
INFO = {
    "db_object": OF_ORDERS, "filter_conditions": [CONTENT], "add_columns": [EXTRA], "dml_operation": "iud",
    "is_batch_process": False, "process_rule_level": "table", "source": "job", "is_synchronized": False,
    "db_object_column_info": {
        "db_name": "shop", "table_name": "orders",
        "column_infos": [{"column_name": "note", "column_mapped_name": "remark", "is_filtered": False}],
    },
    "db_or_table_rename_rule": {"type": "prefixAndSuffix", "prefix_name": "p_", "suffix_name": "_s"},
    "ddl_operation": {"table": "CREATE TABLE, ALTER TABLE,DROP TABLE,RENAME TABLE"},
}  # fmt: skip
FILTER = {
    "filter_object_list": [{"id": ORDERS, "parent_id": "shop", "object_name": "orders", "object_type": "table"}],
    "source_filter_condition": "id > 1",
}
JOINED = {"db_name": "shop", "table_name": "orders", "col_names": "id", "indexes": "", "values": "id > 1"}
RULES: dict[str, Any] = {
    "collect_columns": {"db_object_infos": [{"db_name": "shop", "table_name": "orders"}], "is_force_refresh": True},
    "show_column_infos": {"object_ids": [ORDERS], "refresh": False},
    "modify_column_infos": {
        "column_map_infos": [
            {"object_id": ORDERS, "column_info_lists": [{"column_name": "note", "column_mapped_name": "remark"}]}
        ]
    },
    "delete_column_infos": {"table_ids": [ORDERS], "schema_ids": [], "db_ids": []},
    "update_data_progress": {"data_process_info": [INFO]},
    "check_data_filter": {"data_process_info": [INFO]},
    "collect_data_filter_rules": {"filter_type": "common", "is_all_rules": True, "limit": 10, "offset": 0},
    "check_data_filter_rules": {
        "data_filter_type": "config", "source": "job", "advanced_setting_list": [{**JOINED, "prim_key_or_indexes": "id"}]
    },
    "save_data_filter_rules": {"data_filter_type": "common", "source": "job", "general_filtering_list": [FILTER]},
    "delete_data_filter_rules": {"rule_ids": [1], "type": "common"},
    "batch_set_objects": {
        "jobs": [
            {
                "job_id": NOBODYS, "selected": True, "sync_database": False,
                "job": [
                    {"id": ORDERS, "parent_id": "shop", "object_type": "table", "object_name": "orders", "select": "true"}
                ],
            }
        ]
    },
    "batch_change_data": {
        "jobs": [
            {
                "job_id": NOBODYS, "object_info": [{"id": ORDERS, "select": "true"}],
                "transformation_info": {"transformation_type": "contentConditionalFilter", "value": "id > 1"},
                "config_transformation": {**JOINED, "prim_key_or_index": "id", "indexs": "id"},
            }
        ]
    },
}  # fmt: skip
