"""Every fault in Chinese, for whoever asks with `X-Language: zh-cn`. What varies in a message stays as it is."""

from __future__ import annotations

from typing import Final

from opendrs.errors import Fault

_REACHABLE: Final = "请确认服务器正在运行、主机和端口正确且没有防火墙阻隔。"

# Message and hint, with the details of the English message.
TEXTS: Final[dict[Fault, tuple[str, str]]] = {
    Fault.SOURCE_UNREACHABLE: ("无法连接源端 {endpoint}:{reason}", _REACHABLE),
    Fault.TARGET_UNREACHABLE: ("无法连接目标端 {endpoint}:{reason}", _REACHABLE),
    Fault.ACCESS_DENIED: ("{endpoint} 拒绝了用户名或密码:{reason}", "请检查用户名、密码以及该账号允许登录的主机。"),
    Fault.ENDPOINT_INVALID: (
        "端点 {endpoint} 无效:{reason}",
        "请写成 mysql://user:password@host:port、postgresql://user:password@host:port/database "
        "或 kafka://user:password@host:port/topic。",
    ),
    Fault.PRIVILEGE_MISSING: ("{endpoint} 的账号缺少权限 {what}:{reason}", "请授予该权限;预检查会给出授权语句。"),
    Fault.LOG_PURGED: (
        "源端已不再保留自 {position} 起的日志:{reason}",
        "请延长日志保留时间并重新加载这些表:其间的变更已无法取回。",
    ),
    Fault.OTHER_SERVER: (
        "源端不是本任务开始时的服务器:{reason}",
        "请将任务指向开始时的服务器或其带 GTID 的副本,否则请重新开始。",
    ),
    Fault.AHEAD_OF_SOURCE: (
        "目标端含有源端没有的变更:{reason}",
        "源端丢失了事务(切换到落后的副本,或恢复了备份)。请先对比,再重新开始。",
    ),
    Fault.SERVER_ID_TAKEN: (
        "另一个副本使用了我们的 server_id:{reason}",
        "请为任务指定一个源端没有副本使用的 server_id。",
    ),
    Fault.LOG_CORRUPT: (
        "无法读取源端在 {position} 处的日志:{reason}",
        "没有跳过任何内容。若源端日志已损坏,请重新加载这些表。",
    ),
    Fault.LOG_UNSUPPORTED: (
        "日志在 {position} 处含有无法理解的内容:{reason}",
        "没有跳过任何内容。请连同服务器版本一起报告。",
    ),
    Fault.STATEMENT_LOGGED: (
        "表 {table} 的变更在 {position} 处以语句而非行的形式记录",
        "请对所有会话设置 binlog_format=ROW,然后重新加载该表。",
    ),
    Fault.SCHEMA_MISMATCH: (
        "日志与已知的表 {table} 的定义在 {position} 处不一致:{reason}",
        "该表定义的某次变更没有被看到(sql_log_bin=0?)。请重新加载该表。",
    ),
    Fault.DDL_UNSUPPORTED: (
        "结构变更在 {position} 处无法转换:{reason}。语句:{statement}",
        "请在目标端手工做同样的变更并跳过该语句,或不选择该表。",
    ),
    Fault.VALUE_UNREPRESENTABLE: (
        "{table}:某个值无法传递:{reason}",
        "请在源端更正该行(HEX() 可显示其字节),或为这类值选择策略(如果有);预检查会统计已知的种类。",
    ),
    Fault.CONFLICT: ("{table}:目标端没有源端所变更的内容:{reason}", "有其他人写入了目标端。对比可显示哪些表不同。"),
    Fault.SOURCE_REFUSED: ("源端拒绝了语句:{reason}", "该信息来自源端;请消除其原因后继续任务。"),
    Fault.TARGET_REFUSED: ("目标端拒绝了 {what}:{reason}", "该信息来自目标端;请消除其原因后继续任务。"),
    Fault.MESSAGE_TOO_LARGE: (
        "表 {table} 的一行超出 Kafka 允许的大小:{reason}",
        "请调大主题的 max.message.bytes(或 broker 的 message.max.bytes)后继续任务。",
    ),
    Fault.TOPIC_MISSING: (
        "主题 {topic} 不存在,也未能创建:{reason}",
        "请创建该主题,或授予账号创建主题的权限(ACL 操作 CREATE)后继续任务。",
    ),
    Fault.FENCED: ("较新的工作进程已接管任务(epoch {epoch} 不再有效)", "无需处理:较新的工作进程会继续。"),
    Fault.PRECHECK_FAILED: ("须先处理 {count} 项预检查结果:{names}", "预检查结果给出了每一项的处理方法。"),
    Fault.JOB_DIFFERS: ("同名任务已存在,但设置不同:{reason}", "请为新任务换一个名称,或以原有设置继续。"),
    Fault.SETTING_INVALID: ("{name}:{reason}", "请更正该选项;--help 列出允许的取值。"),
    Fault.PARAMETER_EMPTY: ("参数 {name} 为空", "请给出取值。"),
    Fault.PARAMETER_INVALID: ("参数 {name} 无效:{reason}", "请更正。"),
    Fault.PAGE_INVALID: ("分页无效:{reason}", "请更正 limit 或 offset。"),
    Fault.REQUEST_INVALID: ("请求无效:{reason}", "请更正请求。"),
    Fault.CONTENT_TYPE: ("无法理解类型为 {found} 的请求体", "请以 application/json 发送。"),
    Fault.BODY_TOO_LARGE: ("请求体超过 {most} 字节", "请一次少发送一些。"),
    Fault.API_UNKNOWN: ("没有 API {method} {path}", "GET /openapi.json 列出了全部 API。"),
    Fault.TOO_SLOW: ("服务未能及时应答:{reason}", "请重试。"),
    Fault.JOB_NOT_FOUND: ("任务 {job_id} 不存在", "list_jobs 会列出存在的任务。"),
    Fault.JOB_INFO_NOT_FOUND: ("找不到任务 {job_id} 的信息", "list_jobs 会列出存在的任务。"),
    Fault.NAME_EXISTS: ("名称为 {name} 的任务已存在", "请换一个名称。"),
    Fault.WRONG_STATE: ("任务处于 {state} 时不允许 {what}:{reason}", "show_actions 列出当前允许的操作。"),
    Fault.QUERY_UNKNOWN: ("没有查询 {query_id} 的信息", "请使用操作返回的 query_id。"),
    Fault.SAVE_UNKNOWN: ("没有 ID 为 {query_id} 的对象保存", "请使用 update_job 返回的 query_id。"),
    Fault.OBJECTS_NOT_COLLECTED: ("尚未查询对象信息", "请先调用 collect_db_objects_async。"),
    Fault.FILTER_UNSUPPORTED: (
        "表 {table} 的过滤条件不可用:{reason}",
        "请填写 WHERE 之后的部分:表中的列与常量或其他列的比较(=、<>、<、<=、>、>=、BETWEEN、IN、LIKE、IS NULL、"
        "整数取模),以 AND、OR、NOT 连接。",
    ),
    Fault.OBJECTS_MISSING: ("无法保存对象:{reason}", "请更正所选对象;collect_db_objects_async 会读取源端的对象。"),
    Fault.COLUMNS_UNREAD: (
        "无法读取列信息:{reason}",
        "请指定源端存在的表:collect_db_objects_async 会列出它们。",
    ),
    Fault.RULES_FIXED: (
        "不能修改 {tables} 的规则:它已按此同步",
        "请先将该表移出任务,再带上新的规则重新加入。",
    ),
    Fault.RULE_EXISTS: ("{tables} 的规则已经存在", "无需操作:任务中已有该规则。"),
    Fault.FILE_REFUSED: (
        "无法接受文件 {file}:{reason}",
        "请填写 download_db_object_template 提供的模板,并按其文件类型保存。",
    ),
    Fault.ROWS_WRONG: (
        "文件 {file} 未被导入({wrong})。第一处:{first}",
        "请下载类型为 detail(对比键为 compare_key_detail)的结果:每一处旁边都有原因。",
    ),
    Fault.RESULT_MISSING: (
        "文件下载失败:{reason}",
        "请先上传文件,并等待 show_db_object_template_progress 表明已解析完成。",
    ),
    Fault.PRECHECK_NEEDED: ("须先通过全部(100 %)预检查:{reason}", "请执行 precheck,处理 FAILED 的项目,再执行一次。"),
    Fault.JOB_UNKNOWN: ("状态库 {state} 中没有这样的任务", "请给出与 opendrs run 相同的端点、对象、名称和状态库。"),
    Fault.NO_PROOF: ("无法取得证明:{reason}", "任务日志有更多信息;请在任务跟上源端后重试。"),
    Fault.UNSUPPORTED: ("尚不支持 {what}", "README 列出了所支持的内容。"),
    Fault.WORKER_CRASHED: ("工作进程意外结束:{reason}", "它会自动重启;详情见任务日志。"),
    Fault.INTERNAL: ("OpenDRS 内部出错:{reason}", "请连同任务日志一起报告;没有丢失任何内容,任务会从检查点继续。"),
    Fault.SIGNATURE_INVALID: (
        "IAM 认证信息不正确:{reason}",
        "请使用 opendrs serve 的访问密钥签名,或以 X-Auth-Token 发送令牌。",
    ),
    Fault.TOKEN_INVALID: ("令牌无效:未知或已过期", "请通过 POST /v3/auth/tokens 获取新令牌;令牌有效期为 24 小时。"),
    Fault.PROJECT_INVALID: ("项目 ID 无效:{reason}", "GET /v3/auth/projects 会列出您可以使用的项目。"),
    Fault.LOGIN_REFUSED: ("用户名或密码错误", "请检查用户、域和密码。"),
    Fault.LOGIN_METHOD: ("不能用 {method} 登录", 'auth.identity 的 methods 须为 ["password"]。'),
    Fault.LOGIN_MALFORMED: (
        "令牌请求无效:{reason}",
        "请发送带有 name、password 和 domain 的 auth.identity.password.user,以及 auth.scope.project。",
    ),
    Fault.LOGINS_TOO_MANY: ("同时登录过多", "请稍后重试;令牌有效期为 24 小时,不必每次获取。"),
    Fault.SEAL_BROKEN: (
        "{about} 已加密且无法打开:{reason}",
        "请使用状态库创建时的 OPENDRS_ENCRYPTION_KEY 或 secret.key 文件启动。",
    ),
    Fault.DDL_REFUSED: (
        "任务不传递结构变更,而没有 {position} 处的变更就无法继续:{statement}",
        "请允许任务传递结构变更后继续:任务会从这一变更继续。",
    ),
    Fault.RESET_BLOCKED: (
        "任务要重新开始,而目标端有对象依赖于任务的表:{names}",
        "这些对象不属于任务,不会被删除:请删除它们或其外键,再重置任务。",
    ),
    Fault.CHECKPOINT_MISSING: (
        "目标端已不认识该任务,任务原位于 {position}",
        "如果目标端被恢复或清理过,请重置任务:将重新加载全部数据。未做任何更改。",
    ),
    Fault.RESET_UNFINISHED: ("任务的重置尚未完成", "请继续任务:会先完成重置的剩余部分。"),
    Fault.SERVICE_UNREACHABLE: ("无法连接服务 {url}:{reason}", "请检查 URL,以及 opendrs serve 是否在该处运行。"),
    Fault.SERVICE_ODD: (
        "{url} 的应答不是本服务的应答:{reason}",
        "请检查 URL:应为 opendrs serve 的协议、主机和端口,不带路径。",
    ),
    Fault.NOT_LOGGED_IN: (
        "尚未登录",
        "请执行 opendrs login URL,或设置 OPENDRS_URL、OPENDRS_ACCESS_KEY 和 OPENDRS_SECRET_KEY。",
    ),
    Fault.LOGIN_EXPIRED: ("在 {url} 的登录已过期或已被收回", "请重新登录:opendrs login。"),
    Fault.NAME_UNKNOWN: ("没有任务 {name}{similar}", "opendrs job list 会列出现有的任务。"),
    Fault.NAME_AMBIGUOUS: ("{name} 可能是以下任务中的任何一个:{jobs}", "请给出完整名称或 ID。"),
    Fault.STEP_FAILED: ("{what} 失败:{reason}", "opendrs job logs 有更多信息;任务本身会保留。"),
    Fault.NOT_IN_TIME: ("{what} 在 {seconds} 秒后尚未结束", "它会在服务中继续:opendrs job show 显示其状态。"),
    Fault.TIME_BEFORE_LOG: (
        "源端日志自 {begin} 的 {file} 开始,而 {time} 早于该时间",
        "请选择较晚的时间,或同时加载这些表:选择含全量阶段的任务。",
    ),
    Fault.POSITION_INVALID: (
        "任务不能从 {position} 开始:{reason}",
        "请选择某个事务之前的位点:collect_position_async 或 opendrs position 可按时间找到位点。",
    ),
    Fault.POSITION_AHEAD: (
        "源端日志尚未到达 {position}:{reason}",
        "请确认该位点取自本服务器,且记录完整。",
    ),
    Fault.DEFINITION_CHANGED: (
        "任务的起始位点早于 {tables} 的定义变更,当时的定义已无从得知。最后一次变更结束于 {position}:{statement}",
        "请从该位点或更晚处开始,或不选择这些表,或加载它们:选择含全量阶段的任务。",
    ),
    Fault.POSITION_NOT_COLLECTED: (
        "没有 ID 为 {query_id} 的位点查询",
        "请先调用 collect_position_async,并使用其返回的 ID。",
    ),
}
