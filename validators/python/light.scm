;; What cannot work in a sandbox, or serves only to attack it.

((identifier) @refuse
  (#path? @refuse "socket" "ctypes" "ctypes.*")
  (#set! rule "python.native")
  (#set! message "%s: there is no network and no native code here."))
