;; Python, level light: what cannot work in here, and what serves only to
;; attack.
;;
; list network: socket ssl socketserver _socket _ssl asyncore asynchat
; list network: http.client http.server urllib.request urllib2 urllib3
; list network: requests httplib httplib2 httpx aiohttp websockets websocket
; list network: ftplib smtplib smtpd poplib imaplib nntplib telnetlib
; list network: xmlrpc.client xmlrpc.server paramiko scapy scapy.all
; list network: wsgiref.simple_server
;;
; list native: ctypes.CDLL ctypes.PyDLL ctypes.WinDLL ctypes.OleDLL
; list native: ctypes.cdll ctypes.cdll.* ctypes.pydll ctypes.pydll.*
; list native: ctypes.windll ctypes.oledll ctypes.LibraryLoader
; list native: ctypes.pythonapi ctypes.pythonapi.* ctypes.util.find_library
; list native: ctypes.util _ctypes _ctypes.* cffi cffi.*
; list native: numpy.ctypeslib numpy.ctypeslib.load_library
; list native: importlib.machinery.ExtensionFileLoader _imp.create_dynamic
; list native: imp.load_dynamic mmap.PROT_EXEC ctypes.CFUNCTYPE
; list native: ctypes.PYFUNCTYPE
;;
; message network: `%s` is for the network, and programs have none here. Read
; message network: the data from standard input (`input()`, `sys.stdin`) or
; message network: write it into the program.
; message native: `%s` runs machine code that nobody can check, so it is not
; message native: allowed. Write it in Python, or in the language of that code;
; message native: the types of `ctypes` (`c_int32` ...) are fine.


;; Network.

([(import_statement name: (dotted_name) @refuse)
  (import_statement name: (aliased_import name: (dotted_name) @refuse))
  (import_from_statement module_name: (dotted_name) @refuse)
  (import_from_statement name: (dotted_name) @refuse)
  (import_from_statement
    name: (aliased_import name: (dotted_name) @refuse))]
 (#path? @refuse "$network")
 (#set! rule "python.network") (#set! message "$network"))
;; By way of a function, or of a module that has imported it itself.
([(call) (subscript)] @refuse
 (#path? @refuse "$network")
 (#set! rule "python.network")
 (#set! message "This gives a module for the network, and programs have none here. Read the data from standard input (`input()`, `sys.stdin`) instead."))
((attribute) @refuse
 (#path? @refuse "*.socket.socket" "*.*.socket.socket"
   "*.socket.create_connection" "asyncio.open_connection"
   "asyncio.start_server" "asyncio.streams.open_connection"
   "asyncio.open_unix_connection" "asyncio.start_unix_server"
   "multiprocessing.connection.Client" "multiprocessing.connection.Listener"
   "multiprocessing.managers.BaseManager"
   "logging.handlers.SocketHandler" "logging.handlers.HTTPHandler"
   "logging.handlers.SMTPHandler")
 (#set! rule "python.network")
 (#set! message "`%s` opens a network connection, and programs have no network here. Read the data from standard input instead."))


;; Native code.

([(identifier) (attribute) (subscript) (call) (dotted_name)] @refuse
 (#path? @refuse "$native")
 (#set! rule "python.native")
 (#set! message "$native"))
([(call) (subscript)] @refuse
 (#path? @refuse "ctypes.?" "ctypes.__dict__.?")
 (#set! rule "python.native")
 (#set! message "`%s` picks a part of `ctypes` by a name that is only known at run time. Write the name out."))
((attribute attribute: (identifier) @refuse)
 (#any-of? @refuse "enable_load_extension" "load_extension"
   "LoadLibrary")
 (#set! rule "python.native")
 (#set! message "`%s` loads machine code that nobody can check, so it is not allowed."))


;; The text that is checked must be the text that Python reads.

([(module . (comment) @refuse) (module . (comment) . (comment) @refuse)]
 (#line-below? @refuse "3")
 (#match? @refuse "^#.*?coding[:=][ \\t]*[-_.a-zA-Z0-9]+")
 (#not-match? @refuse "(?i)coding[:=][ \\t]*(utf[-_]?8([-_]sig)?|(us[-_]?)?ascii|(iso[-_]?)?(8859|latin)[-_]?[0-9]+|(cp|windows[-_]?)125[0-8]|koi8[-_][ru]|euc[-_]?(jp|kr|cn)|gb2312)(?![-_.a-zA-Z0-9])")
 (#set! rule "python.encoding")
 (#set! message "The source cannot be checked in this encoding. Save the file as UTF-8 and remove this line."))
((module) @refuse
 (#find? @refuse "\\r(?!\\n)|\\x00" "\r" "\0")
 (#set! rule "python.encoding")
 (#set! message "Python reads this line otherwise than it looks. Save the file as plain text with ordinary ends of lines."))
