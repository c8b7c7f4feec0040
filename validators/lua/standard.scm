;; Lua, level standard: starting processes, evaluating text, the debug library.
;;
; inherits: light
;;
; list process: os.execute io.popen posix posix.*
; list eval: load loadstring loadfile dofile setfenv package.preload
; list walk: debug debug.* require.debug

([(identifier) (dot_index_expression) (bracket_index_expression)
  (function_call)] @refuse
 (#path? @refuse "$process")
 (#set! rule "lua.process")
 (#set! message "`%s` starts another process, and a program runs alone here. Do the work in Lua itself."))
([(identifier) (dot_index_expression) (bracket_index_expression)
  (function_call)] @refuse
 (#path? @refuse "$eval")
 (#set! rule "lua.eval")
 (#set! message "`%s` runs text as a program, which hides what the program does. For numbers use `tonumber()`, for a choice of functions a table."))
([(identifier) (dot_index_expression) (bracket_index_expression)
  (function_call)] @refuse
 (#path? @refuse "$walk")
 (#set! rule "lua.internals")
 (#set! message "`%s` reaches into Lua's own objects, behind the program that can be checked. An error has its place in `error(message, level)`."))
([(bracket_index_expression) (function_call)] @refuse
 (#path? @refuse "os.?" "io.?" "_G.?" "_ENV.?")
 (#set! rule "lua.process")
 (#set! message "`%s` picks a part by a name that is only known at run time, and it could start a process. Write the name out."))
