;; Rust, level light: what cannot work in here, and what serves only to attack.
;;
; list network: std.net.TcpStream std.net.TcpListener std.net.UdpSocket
; list network: std.net.ToSocketAddrs std.net.Incoming
; list network: *.net.TcpStream *.net.TcpListener *.net.UdpSocket
; list network: net.TcpStream net.TcpListener net.UdpSocket
; list asm: asm global_asm llvm_asm naked_asm std.arch.asm
; list asm: std.arch.global_asm arch.asm arch.global_asm


([(identifier) (type_identifier) (scoped_identifier)
  (scoped_type_identifier)] @refuse
 (#path? @refuse "$network")
 (#set! rule "rust.network")
 (#set! message "`%s` is for the network, and programs have none here. Read the data from standard input (`std::io::stdin()`) or write it into the program."))
((macro_invocation macro: (_) @refuse)
 (#path? @refuse "$asm")
 (#set! rule "rust.asm")
 (#set! message "`%s!`: machine code in the source is not allowed, it can do what no check of the program sees. Write it in Rust."))
([(identifier) (scoped_identifier)] @refuse
 (#path? @refuse "std.arch.asm" "std.arch.global_asm")
 (#set! rule "rust.asm")
 (#set! message "`%s`: machine code in the source is not allowed, it can do what no check of the program sees. Write it in Rust."))
((token_tree (identifier) @refuse . "!")
 (#any-of? @refuse "asm" "global_asm" "llvm_asm" "naked_asm")
 (#set! rule "rust.asm")
 (#set! message "`%s!`: machine code in the source is not allowed, it can do what no check of the program sees. Write it in Rust."))
((foreign_mod_item body: (declaration_list
   (function_signature_item name: (identifier) @refuse)))
 (#any-of? @refuse "dlopen" "dlsym" "dlmopen" "ptrace" "process_vm_readv"
   "process_vm_writev" "socket" "mprotect" "getaddrinfo")
 (#set! rule "rust.native")
 (#set! message "`%s` is for machine code that is not in the program, for other processes or for the network, and a program runs alone here. Use the standard library."))
