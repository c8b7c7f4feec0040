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
((extern_crate_declaration name: (identifier) @refuse)
 (#not-any-of? @refuse "std" "core" "alloc" "self" "test" "proc_macro")
 (#set! rule "rust.foreign")
 (#set! message "The crate `%s` is not part of Rust's standard library, and no other is there. Use the standard library."))
((token_tree (identifier) @refuse)
 (#eq? @refuse "extern")
 (#set! rule "rust.foreign")
 (#set! message "Functions of another language can do what no check of the program sees. Use the standard library, or write the function in Rust."))
((attribute (identifier) @refuse)
 (#any-of? @refuse "link" "link_name" "link_section" "export_name")
 (#set! rule "rust.foreign")
 (#set! message "`%s` is for code of other languages, which no check of the program sees. Write it in Rust."))

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
