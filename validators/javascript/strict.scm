;; JavaScript, level strict: no files, no system, no prototypes by name.
;;
; inherits: standard
;;
;; What may be loaded; a program's own files besides.
; list allowed: assert assert/strict buffer events readline readline/promises
; list allowed: string_decoder url util querystring timers timers/promises
; list allowed: stream stream/promises perf_hooks punycode
; list system: process.env process.exit process.kill process.abort
; list system: process.chdir process.umask process.setuid process.setgid
; list system: process.reallyExit process.cwd __dirname __filename globalThis


((call_expression function: (_) @_f arguments: (arguments . (_) @refuse))
 (#path? @_f "require") (#const? @refuse)
 (#not-const-match? @refuse "^(node:)?(assert(/strict)?|buffer|events|readline(/promises)?|string_decoder|url|util|querystring|timers(/promises)?|stream(/promises)?|perf_hooks|punycode)$|^\\.")
 (#set! rule "javascript.module")
 (#set! message "%s is not among the modules that may be used here. Read input with `process.stdin` or `readline`; assert, buffer, events, stream, string_decoder, timers, url and util may be used, too."))
((call_expression function: (import) arguments: (arguments . (_) @refuse))
 (#const? @refuse)
 (#not-const-match? @refuse "^(node:)?(assert(/strict)?|buffer|events|readline(/promises)?|string_decoder|url|util|querystring|timers(/promises)?|stream(/promises)?|perf_hooks|punycode)$|^\\.")
 (#set! rule "javascript.module")
 (#set! message "%s is not among the modules that may be used here. Read input with `process.stdin` or `readline`; assert, buffer, events, stream, string_decoder, timers, url and util may be used, too."))
([(import_statement source: (string) @refuse)
  (export_statement source: (string) @refuse)]
 (#not-const-match? @refuse "^(node:)?(assert(/strict)?|buffer|events|readline(/promises)?|string_decoder|url|util|querystring|timers(/promises)?|stream(/promises)?|perf_hooks|punycode)$|^\\.")
 (#set! rule "javascript.module")
 (#set! message "%s is not among the modules that may be used here. Read input with `process.stdin` or `readline`; assert, buffer, events, stream, string_decoder, timers, url and util may be used, too."))
([(identifier) (member_expression) (subscript_expression)] @refuse
 (#path? @refuse "$system")
 (#set! rule "javascript.system")
 (#set! message "`%s` is for work with the system, and this level allows none. Read from `process.stdin` and write with `console.log()`."))
([(arguments (identifier) @refuse)
  (variable_declarator value: (identifier) @refuse)
  (assignment_expression right: (identifier) @refuse)
  (pair value: (identifier) @refuse)
  (array (identifier) @refuse)]
 (#path? @refuse "process" "Function" "require")
 (#set! rule "javascript.system")
 (#set! message "`%s` itself is passed on here, so nobody can see what is done with it."))
((member_expression property: (property_identifier) @refuse)
 (#any-of? @refuse "constructor" "__proto__" "__defineGetter__"
   "__defineSetter__" "__lookupGetter__" "__lookupSetter__")
 (#set! rule "javascript.prototype")
 (#set! message "`%s` reaches into JavaScript's own objects, and this level does not allow it. Name the class."))
((subscript_expression index: (_) @refuse)
 (#const? @refuse "__proto__" "constructor" "prototype")
 (#set! rule "javascript.prototype")
 (#set! message "%s reaches into JavaScript's own objects, and this level does not allow it. Name the class."))
((ERROR) @refuse
 (#set! rule "javascript.syntax")
 (#set! message "`%s` cannot be read as JavaScript. The mistake is here or just before: look for a missing bracket, quote or comma."))
((MISSING) @refuse
 (#set! rule "javascript.syntax")
 (#set! message "Something is missing here: a bracket, quote or comma."))
