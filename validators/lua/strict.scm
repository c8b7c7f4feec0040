;; Lua, level strict: no files, no system, only what reads and computes.
;;
; inherits: standard
;;
; list system: io.open io.input io.output io.lines io.tmpfile os.remove
; list system: os.rename os.tmpname os.getenv os.exit os.setlocale package
; list system: package.* collectgarbage

([(identifier) (dot_index_expression) (bracket_index_expression)] @refuse
 (#path? @refuse "$system")
 (#set! rule "lua.system")
 (#set! message "`%s` is for files or the system, and this level allows none. Read with `io.read()` and write with `print()`."))
((function_call name: (_) @refuse)
 (#path? @refuse "require")
 (#set! rule "lua.module")
 (#set! message "Only Lua's own library may be used here, and it needs no `%s`."))
((ERROR) @refuse
 (#set! rule "lua.syntax")
 (#set! message "`%s` cannot be read as Lua. The mistake is here or just before: look for a missing `end`, bracket or quote."))
((MISSING) @refuse
 (#set! rule "lua.syntax")
 (#set! message "Something is missing here: a `end`, bracket or quote."))
