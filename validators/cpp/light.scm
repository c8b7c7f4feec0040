;; C++, level light: as C.
;;
; inherits: ../c/light.scm
