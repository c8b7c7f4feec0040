dnl What the build must know of this machine: the compiler, the libraries and
dnl which hardening flags both compiler and linker take.  The Makefile makes a
dnl configure of it and runs that by itself; the result is one file, config.mk.
dnl
dnl     autoconf -o configure config.m4

AC_PREREQ([2.69])
AC_INIT([codr], [0.1.0])
AC_CONFIG_SRCDIR([sandbox/codr_proto.h])
AC_LANG([C])

AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers=LIST],
        [build with -fsanitize=LIST, without fortified functions])],
    [], [enable_sanitizers=no])

dnl A missing piece ends configure: with what it is and how Debian calls it.
AC_DEFUN([CODR_MISSING],
    [AC_MSG_ERROR([$1 is missing (Debian: $2); "make deps" installs it])])

AC_DEFUN([CODR_REQUIRE_LIB],
    [AC_CHECK_HEADER([$2], [], [CODR_MISSING([header $2], [$4])])
     AC_CHECK_LIB([$1], [$3], [:], [CODR_MISSING([library $1], [$4])])])

dnl CODR_FLAG(variable, compiler flag): appends the flag when it compiles and
dnl links without a warning.
AC_DEFUN([CODR_FLAG],
    [AC_MSG_CHECKING([whether $CC takes $2])
     codr_saved=$CFLAGS
     CFLAGS="$CFLAGS -Werror $2"
     AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]],
             [[char text[64]; memset(text, 0, sizeof(text));
               return text[0];]])],
         [AC_MSG_RESULT([yes]); AS_VAR_APPEND([$1], [" $2"])],
         [AC_MSG_RESULT([no])])
     CFLAGS=$codr_saved])


dnl Programs

: ${CFLAGS="-O2 -g"}
AC_PROG_CC

CODR_STD=
CODR_FLAG([CODR_STD], [-std=c11])
AS_IF([test -z "$CODR_STD"], [AC_MSG_ERROR([$CC knows no C11])])


dnl Kernel interface: headers only; what the running kernel has is found out
dnl at run time.

AC_CHECK_HEADER([linux/landlock.h], [],
    [CODR_MISSING([header linux/landlock.h], [linux-libc-dev])])
AC_CHECK_HEADER([sys/pidfd.h], [],
    [CODR_MISSING([header sys/pidfd.h], [libc6-dev])])


dnl Libraries: the helper's, the validator's, then the module's.  What only
dnl nginx itself uses is checked by nginx's configure.

CODR_REQUIRE_LIB([seccomp], [seccomp.h], [seccomp_export_bpf],
    [libseccomp-dev])
CODR_REQUIRE_LIB([md], [sha2.h], [SHA256Init], [libmd-dev])
AC_CHECK_HEADER([pcre2.h], [],
    [CODR_MISSING([header pcre2.h], [libpcre2-dev])],
    [[#define PCRE2_CODE_UNIT_WIDTH 8]])
CODR_REQUIRE_LIB([wslay], [wslay/wslay.h], [wslay_event_recv], [libwslay-dev])
CODR_REQUIRE_LIB([z], [zlib.h], [deflateInit2_], [zlib1g-dev])
CODR_REQUIRE_LIB([jansson], [jansson.h], [json_loadb], [libjansson-dev])
CODR_REQUIRE_LIB([ssl], [openssl/ssl.h], [SSL_new], [libssl-dev])
CODR_REQUIRE_LIB([crypto], [openssl/evp.h], [EVP_DigestInit_ex], [libssl-dev])


dnl The Python zygote goes into the interpreter that is there: headers of the
dnl same version, or there is no zygote.

AC_MSG_CHECKING([for the headers of python3])
PYTHON_INCLUDE=`/usr/bin/python3 -c \
    'import sysconfig; print(sysconfig.get_path("include"))' 2>/dev/null`
AS_IF([test -f "$PYTHON_INCLUDE/Python.h"],
    [AC_MSG_RESULT([$PYTHON_INCLUDE])],
    [AC_MSG_RESULT([no (Debian: libpython3-dev): no Python zygote])
     PYTHON_INCLUDE=])


dnl Hardening, one by one: a compiler that lacks one keeps the others.

HARDEN_CFLAGS=
HARDEN_LDFLAGS=

CODR_FLAG([HARDEN_CFLAGS], [-fstack-protector-strong])
CODR_FLAG([HARDEN_CFLAGS], [-fstack-clash-protection])
CODR_FLAG([HARDEN_CFLAGS], [-fcf-protection=full])
AS_IF([test "$enable_sanitizers" = no],
    [codr_fortify=
     CODR_FLAG([codr_fortify], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3])
     AS_IF([test -z "$codr_fortify"],
         [CODR_FLAG([codr_fortify], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2])])
     AS_VAR_APPEND([HARDEN_CFLAGS], ["$codr_fortify"])],
    [CODR_FLAG([SANITIZE_FLAGS],
         [-fsanitize=$enable_sanitizers -fno-omit-frame-pointer])
     AS_IF([test -z "$SANITIZE_FLAGS"],
         [AC_MSG_ERROR([$CC cannot build with -fsanitize=$enable_sanitizers])])
    ])
CODR_FLAG([HARDEN_LDFLAGS], [-Wl,-z,relro])
CODR_FLAG([HARDEN_LDFLAGS], [-Wl,-z,now])
CODR_FLAG([HARDEN_LDFLAGS], [-Wl,-z,noexecstack])

CODR_PIE=
CODR_FLAG([CODR_PIE], [-fPIE -pie])
AS_IF([test -n "$CODR_PIE"], [PIE_CFLAGS=-fPIE PIE_LDFLAGS=-pie],
    [PIE_CFLAGS= PIE_LDFLAGS=])

dnl The helper is linked statically where that can be: a sandbox begins with a
dnl clone of it, and what it maps is copied each time.

AC_ARG_ENABLE([static-helper],
    [AS_HELP_STRING([--disable-static-helper], [link it dynamically])],
    [], [enable_static_helper=yes])
HELPER_LDFLAGS=$PIE_LDFLAGS
AS_IF([test "$enable_static_helper$enable_sanitizers" = yesno],
    [AC_MSG_CHECKING([whether the helper can be linked statically])
     codr_saved=$CFLAGS codr_saved_libs=$LIBS
     CFLAGS="$CFLAGS -fPIE -static-pie"
     LIBS="-lseccomp -lmd $LIBS"
     AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <sys/types.h>
#include <seccomp.h>
#include <sha2.h>]],
             [[SHA2_CTX hash; SHA256Init(&hash);
               return seccomp_init(SCMP_ACT_KILL) != 0;]])],
         [AC_MSG_RESULT([yes]); HELPER_LDFLAGS=-static-pie],
         [AC_MSG_RESULT([no])])
     CFLAGS=$codr_saved LIBS=$codr_saved_libs])


AC_CONFIG_COMMANDS([config.mk], [cat >config.mk <<CODR_END
# Written by configure; "make clean" removes it.
VERSION = $codr_version
HARDEN_CFLAGS =$codr_harden_cflags
HARDEN_LDFLAGS =$codr_harden_ldflags
PIE_CFLAGS = $codr_pie_cflags
PIE_LDFLAGS = $codr_pie_ldflags
HELPER_LDFLAGS = $codr_helper_ldflags
SANITIZE_FLAGS =$codr_sanitize
PYTHON_INCLUDE = $codr_python
CODR_END
], [codr_version='$PACKAGE_VERSION'
codr_harden_cflags='$HARDEN_CFLAGS'
codr_harden_ldflags='$HARDEN_LDFLAGS'
codr_pie_cflags='$PIE_CFLAGS'
codr_pie_ldflags='$PIE_LDFLAGS'
codr_helper_ldflags='$HELPER_LDFLAGS'
codr_sanitize='$SANITIZE_FLAGS'
codr_python='$PYTHON_INCLUDE'
])
AC_OUTPUT
