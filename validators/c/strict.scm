;; C, level strict: files and the system besides; whoever asks for this level
;; wants programs that read standard input and write standard output.
;;
; inherits: standard
;;
; list files: fopen open creat unlink rmdir rename link symlink chmod chown
; list files: remove fopen64 open64 openat creat64 unlinkat renameat linkat
; list files: symlinkat fchmodat fchownat fchmod fchown lchown
; list sockets: connect bind listen accept


((identifier) @refuse
 (#path? @refuse "exec")
 (#set! rule "c.process")
 (#set! message "`%s` starts another process, and a program runs alone here."))
((identifier) @refuse
 (#path? @refuse "$files")
 (#set! rule "c.files")
 (#set! message "`%s` works on files, and this level allows none. Read from standard input (`scanf`, `fgets`) and write to standard output (`printf`)."))
((identifier) @refuse
 (#path? @refuse "$sockets")
 (#set! rule "c.network")
 (#set! message "`%s` is for the network, and programs have none here. Read the data from standard input (`scanf`, `fgets`)."))
((preproc_include path: (_) @refuse)
 (#match? @refuse "^[<\"](sys/|unistd\\.h|fcntl\\.h|netinet/|arpa/|signal\\.h|csignal)")
 (#set! rule "c.header")
 (#set! message "%s is for work with the system, and this level allows only the C library itself: `stdio.h`, `stdlib.h`, `string.h`, `math.h` and the like."))
((ERROR) @refuse
 (#set! rule "c.syntax")
 (#set! message "`%s` cannot be read as C. The mistake is here or just before: look for a missing bracket, quote or semicolon."))
((MISSING) @refuse
 (#set! rule "c.syntax")
 (#set! message "Something is missing here: a bracket or semicolon."))
