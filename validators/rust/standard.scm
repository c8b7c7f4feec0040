;; Rust, level standard: starting processes, functions of other languages.
;;
; inherits: light
;;
; list process: std.process.Command std.os.unix.process
; list process: std.os.unix.process.CommandExt std.os.linux.process
; list process: process.Command *.process.Command *.*.process.Command


([(identifier) (type_identifier) (scoped_identifier)
  (scoped_type_identifier)] @refuse
 (#path? @refuse "$process")
 (#set! rule "rust.process")
 (#set! message "`%s` starts another process, and a program runs alone here. Do the work in Rust itself; for things at the same time use `std::thread`."))
((use_as_clause path: (_) @refuse)
 (#path? @refuse "std.process" "process")
 (#set! rule "rust.process")
 (#set! message "`%s` by another name hides whether it starts processes. Write `use std::process;`."))
((use_as_clause path: (self) alias: (_) @refuse)
 (#path? @refuse "std.process" "process")
 (#set! rule "rust.process")
 (#set! message "`%s`: another name for this module hides whether it starts processes. Write `use std::process;`."))
((use_wildcard (_) @refuse)
 (#path? @refuse "std.process" "process")
 (#set! rule "rust.process")
 (#set! message "Everything of `%s` is also what starts processes. Name what is needed: `use std::process::exit;`."))
((token_tree (identifier) @_m . "::" . (metavariable)) @refuse
 (#eq? @_m "process")
 (#set! rule "rust.process")
 (#set! message "Which part of `process` this macro uses cannot be seen. Write its name."))

((foreign_mod_item) @refuse
 (#set! rule "rust.foreign")
 (#set! message "Functions of another language can do what no check of the program sees. Use the standard library, or write the function in Rust."))
([(token_tree (identifier) @refuse . (string_literal)
    . (token_tree) @_body)
  (token_tree (identifier) @refuse . (token_tree) @_body)]
 (#eq? @refuse "extern") (#match? @_body "^[{]")
 (#set! rule "rust.foreign")
 (#set! message "Functions of another language can do what no check of the program sees. Use the standard library, or write the function in Rust."))

((macro_invocation macro: (identifier) @_m
   (token_tree . (string_literal) @refuse))
 (#eq? @_m "include") (#const-match? @refuse "^/")
 (#set! rule "rust.include")
 (#set! message "%s is a file by its full path. Send your own files along and name them as they are called."))
((attribute_item (attribute (identifier) @_path
   value: (string_literal) @refuse))
 (#eq? @_path "path") (#const-match? @refuse "^/")
 (#set! rule "rust.include")
 (#set! message "%s is a file by its full path. Send your own files along and name them as they are called."))
;; What is included is checked as well when its name says what it is.
((source_file) @refuse
 (#find? @refuse "\\binclude(?:\\s|/\\*(?:[^*]|\\*(?!/))*+\\*/|//[^\\n]*+\\n)*+!(?:\\s|/\\*(?:[^*]|\\*(?!/))*+\\*/|//[^\\n]*+\\n)*+[(\\[{](?:\\s|/\\*(?:[^*]|\\*(?!/))*+\\*/|//[^\\n]*+\\n)*+(?!r?#*\"[^\"\\n]*\\.rs\")|#(?:\\s|/\\*(?:[^*]|\\*(?!/))*+\\*/|//[^\\n]*+\\n)*+!?+(?:\\s|/\\*(?:[^*]|\\*(?!/))*+\\*/|//[^\\n]*+\\n)*+\\[[^\\]]{0,200}?\\bpath(?:\\s|/\\*(?:[^*]|\\*(?!/))*+\\*/|//[^\\n]*+\\n)*+=(?:\\s|/\\*(?:[^*]|\\*(?!/))*+\\*/|//[^\\n]*+\\n)*+(?!r?#*\"[^\"\\n]*\\.rs\")|\\binclude(?:\\s|/\\*(?:[^*]|\\*(?!/))*+\\*/|//[^\\n]*+\\n)*+as\\b"
   "include" "path")
 (#set! rule "rust.include")
 (#set! message "A file of code has a name that ends in `.rs`, and that stands there, so that it is checked as the program is. What is data can be read with `include_str!`."))
