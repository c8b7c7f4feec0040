;; Lua, level light: what cannot work in here, and what serves only to attack.
;;
; list network: socket socket.* ssl cqueues luasocket lsqlite3.*
; list native: package.loadlib package.cpath package.searchers

((function_call) @refuse
 (#path? @refuse "$network")
 (#set! rule "lua.network")
 (#set! message "`%s` is for the network, and programs have none here. Read the data from standard input (`io.read()`) or write it into the program."))
([(dot_index_expression) (bracket_index_expression) (function_call)] @refuse
 (#path? @refuse "$native")
 (#set! rule "lua.native")
 (#set! message "`%s` loads machine code that nobody can check, so it is not allowed. Write it in Lua."))
