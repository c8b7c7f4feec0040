;; Rust, level strict: files and the system besides, and nothing unsafe.
;;
; inherits: standard
;;
; list system: std.fs std.path std.net std.process std.os std.env std.fs.*
; list system: std.path.* std.net.* std.process.* std.os.* std.env.*


([(identifier) (scoped_identifier) (type_identifier)
  (scoped_type_identifier)] @refuse
 (#path? @refuse "$system")
 (#set! rule "rust.system")
 (#set! message "`%s` is for work with the system, and this level allows none. Read from `std::io::stdin()` and write with `println!`."))
((unsafe_block) @refuse
 (#set! rule "rust.unsafe")
 (#set! message "`unsafe` switches off the checks that make Rust safe, and this level does not allow it. There is nearly always a safe way: indexes, `Option`, `Rc<RefCell<..>>`."))
((function_modifiers "unsafe" @refuse)
 (#set! rule "rust.unsafe")
 (#set! message "`unsafe` switches off the checks that make Rust safe, and this level does not allow it."))
([(impl_item "unsafe" @refuse) (trait_item "unsafe" @refuse)]
 (#set! rule "rust.unsafe")
 (#set! message "`unsafe` switches off the checks that make Rust safe, and this level does not allow it."))
((extern_modifier) @refuse
 (#set! rule "rust.foreign")
 (#set! message "`%s` is for code of other languages, and this level does not allow it."))
((extern_crate_declaration) @refuse
 (#set! rule "rust.foreign")
 (#set! message "`%s`: this level allows the standard library only, and it needs no such line."))
((attribute (identifier) @refuse)
 (#any-of? @refuse "no_mangle" "link" "link_name" "export_name")
 (#set! rule "rust.foreign")
 (#set! message "`%s` is for code of other languages, and this level does not allow it."))
((ERROR) @refuse
 (#set! rule "rust.syntax")
 (#set! message "`%s` cannot be read as Rust. The mistake is here or just before: look for a missing bracket, quote or semicolon."))
((MISSING) @refuse
 (#set! rule "rust.syntax")
 (#set! message "Something is missing here: a bracket or semicolon."))
