;; JavaScript, level light: what cannot work in here, and what serves only to
;; attack.
;;
; list network: http https http2 net tls dgram dns dns/promises undici ws
; list network: axios node-fetch socket.io socket.io-client got superagent
; list native: process.dlopen process.binding process._linkedBinding
; list native: ffi ffi-napi koffi bindings ref-napi
; list native: ffi.* ffi-napi.* koffi.*
; list trace: process._debugProcess process._debugEnd inspector
; list trace: inspector/promises


;; Network.

((import_statement source: (string) @refuse)
 (#path? @refuse "$network")
 (#set! rule "javascript.network")
 (#set! message "%s is for the network, and programs have none here. Read the data from standard input (`process.stdin`) or write it into the program."))
((export_statement source: (string) @refuse)
 (#const-match? @refuse "^(node:)?(https?|http2|net|tls|dgram|dns|undici)(/|$)")
 (#set! rule "javascript.network")
 (#set! message "%s is for the network, and programs have none here. Read the data from standard input (`process.stdin`) or write it into the program."))
((call_expression) @refuse
 (#path? @refuse "$network")
 (#set! rule "javascript.network")
 (#set! message "`%s` is for the network, and programs have none here. Read the data from standard input (`process.stdin`) or write it into the program."))
((call_expression function: [(identifier) (member_expression)
   (subscript_expression) (parenthesized_expression)] @refuse)
 (#path? @refuse "fetch")
 (#set! rule "javascript.network")
 (#set! message "`%s` asks another computer, and programs have no network here. Read the data from standard input (`process.stdin`) or write it into the program."))
((new_expression constructor: (_) @refuse)
 (#path? @refuse "WebSocket" "EventSource" "XMLHttpRequest")
 (#set! rule "javascript.network")
 (#set! message "`%s` asks another computer, and programs have no network here. Read the data from standard input (`process.stdin`) or write it into the program."))


;; Native code and debuggers.

([(identifier) (member_expression) (subscript_expression) (call_expression)
  (shorthand_property_identifier)] @refuse
 (#path? @refuse "$native")
 (#set! rule "javascript.native")
 (#set! message "`%s` runs machine code that nobody can check, so it is not allowed. Write it in JavaScript, or in the language of that code."))
((import_statement source: (string) @refuse)
 (#path? @refuse "$native")
 (#set! rule "javascript.native")
 (#set! message "%s runs machine code that nobody can check, so it is not allowed. Write it in JavaScript, or in the language of that code."))
([(call_expression function: (import) arguments: (arguments . (_) @refuse))
  (call_expression function: (identifier) @_f
    arguments: (arguments . (_) @refuse))]
 (#const-match? @refuse "\\.node$")
 (#set! rule "javascript.native")
 (#set! message "%s is machine code that nobody can check, so it is not allowed. Write it in JavaScript, or in the language of that code."))
([(identifier) (member_expression) (subscript_expression) (call_expression)]
  @refuse
 (#path? @refuse "$trace")
 (#set! rule "javascript.trace")
 (#set! message "`%s` is for watching or changing a running program from outside. Print what you want to see with `console.log()`."))
((import_statement source: (string) @refuse)
 (#path? @refuse "$trace")
 (#set! rule "javascript.trace")
 (#set! message "%s is for watching or changing a running program from outside. Print what you want to see with `console.log()`."))


;; The text that is checked must be the text that runs.

((program) @refuse
 (#find? @refuse "\\A#![^\\n]*?(?:\\r(?!\\n)|\\x{2028}|\\x{2029})"
   "#!")
 (#set! rule "javascript.spelling")
 (#set! message "A line ends here for JavaScript, and not for those who read the source. Save the file with ordinary ends of lines."))
