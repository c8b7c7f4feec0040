;; C and C++, level light: what cannot work in here, and what serves only to
;; attack.
;;
; list network: socket getaddrinfo gethostbyname gethostbyname2
; list network: gethostbyname_r gethostbyaddr getnameinfo accept4
; list native: dlopen dlmopen dlsym dlvsym __libc_dlopen_mode PROT_EXEC
; list trace: ptrace process_vm_readv process_vm_writev perf_event_open
; list trace: pivot_root umount2 init_module finit_module delete_module
; list trace: unshare setns kexec_load iopl ioperm add_key keyctl
; list trace: request_key userfaultfd open_by_handle_at


;; Network.

((identifier) @refuse
 (#path? @refuse "$network")
 (#set! rule "c.network")
 (#set! message "`%s` is for the network, and programs have none here. Read the data from standard input (`scanf`, `fgets`, `std::cin`) or write it into the program."))
((preproc_include path: (_) @refuse)
 (#match? @refuse "^[<\"](netdb\\.h|curl/)")
 (#set! rule "c.network")
 (#set! message "%s is for the network, and programs have none here. Read the data from standard input (`scanf`, `fgets`, `std::cin`) or write it into the program."))


;; Native code and what is done to other processes or to the system.

((identifier) @refuse
 (#path? @refuse "$native")
 (#set! rule "c.native")
 (#set! message "`%s` runs machine code that is not in the program and that nobody can check. Write the function in the program, or use one of the standard library."))
((preproc_include path: (_) @refuse)
 (#match? @refuse "^[<\"]dlfcn\\.h")
 (#set! rule "c.native")
 (#set! message "%s is for loading machine code that is not in the program and that nobody can check. Write the function in the program."))
((identifier) @refuse
 (#path? @refuse "$trace")
 (#set! rule "c.trace")
 (#set! message "`%s` works on other processes or on the system itself, and a program runs alone here. To look into your own program print what you want to see."))
((preproc_include path: (_) @refuse)
 (#match? @refuse "^[<\"](sys/ptrace|linux/ptrace|linux/bpf|linux/io_uring|sys/kexec)\\.h")
 (#set! rule "c.trace")
 (#set! message "%s is for work on other processes or on the system itself, and a program runs alone here."))


;; Machine code in the source, and names that are given to it.

((gnu_asm_expression) @refuse
 (#set! rule "c.asm")
 (#set! message "Machine code in the source is not allowed: it can do what no check of the program sees. The compiler's built-in functions (`__builtin_popcount` ...) do most of what it is used for."))
((preproc_arg) @refuse
 (#find? @refuse "(?<![\"\\w])(asm|__asm|__asm__)\\s*(volatile|__volatile__|goto|inline)?\\s*\\("
   "asm")
 (#set! rule "c.asm")
 (#set! message "Machine code in the source is not allowed: it can do what no check of the program sees. The compiler's built-in functions (`__builtin_popcount` ...) do most of what it is used for."))
((call_expression function: (identifier) @_f) @refuse
 (#any-of? @_f "asm" "__asm" "__asm__")
 (#set! rule "c.asm")
 (#set! message "Machine code in the source is not allowed: it can do what no check of the program sees. The compiler's built-in functions (`__builtin_popcount` ...) do most of what it is used for."))
((attribute_specifier (argument_list (call_expression
   function: (identifier) @_name) @refuse))
 (#match? @_name "^_*(weakref|ifunc|alias)_*$")
 (#set! rule "c.names")
 (#set! message "`%s` gives a function another name, which hides what the program calls. Call it by its own."))
((preproc_call argument: (preproc_arg) @refuse)
 (#match? @refuse "^\\s*(redefine_extname\\b|weak\\s+\\w+\\s*=)")
 (#set! rule "c.names")
 (#set! message "`%s` gives a function another name, which hides what the program calls. Call it by its own."))
((call_expression function: (identifier) @_f
   arguments: (argument_list (_) @refuse))
 (#eq? @_f "_Pragma")
 (#const-match? @refuse "^\\s*(redefine_extname\\b|weak\\s+\\w+\\s*=)")
 (#set! rule "c.names")
 (#set! message "%s gives a function another name, which hides what the program calls. Call it by its own."))


;; Spellings of a # that hide a line from every reader, this one included.

((translation_unit) @refuse
 (#find? @refuse "(?m)(?:^|\\*/)[ \\t\\f\\v]*%:|%:%:|\\?\\?[=/']"
   "%:" "??=" "??/" "??'")
 (#set! rule "c.spelling")
 (#set! message "This is an old spelling of `#`, `\\` or `^`, from keyboards that had none. Write the character itself."))
((translation_unit) @refuse
 (#find? @refuse "(?m)^(?:[^'\"/\\n]++|\"(?:[^\"\\\\\\n]|\\\\.)*+\"|'(?:[^'\\\\\\n]|\\\\.)*+'|/(?![/*]))*+['\"][^\\n]*?/\\*"
   "/*")
 (#set! rule "c.spelling")
 (#set! message "A quote that is not closed hides where the comment begins. Close it, or leave it out."))
((translation_unit) @refuse
 (#find? @refuse "\\r(?!\\n)" "\r")
 (#set! rule "c.spelling")
 (#set! message "A line ends here for the compiler, and not for those who read the source. Save the file with ordinary ends of lines."))
