# Programs that do nothing wrong pass: all of our own, and of those that Debian
# ships at most 1 in 200 is refused at level standard, 1 in 1000 at light.
#
# Debian's are read where they are: the library's own demonstrations and tests,
# examples of packages, the tests of the Rust compiler (all of them only in
# the long run).  Counted are those that do without what the level refuses.
# Whether one does is asked of its text, line by line, and not of the policy.

use strict;
use warnings;

use Codr::Host qw(build need slurp top);
use Codr::Policy qw(blocks lint lint_blocks);
use Cwd qw(abs_path);
use File::Find qw(find);
use POSIX qw(ceil);
use Test::More;

need(build() . '/codr-validator');

my $LARGEST = 64 * 1024;    # bytes: what codr_code_size lets in
my %AT_MOST = (light => 1 / 1000, standard => 1 / 200);

# Directories of Debian, the ends of the names in them, and whether all of it
# is for the long run.
my @DEBIAN = (
    [ python => qr/\.py$/, 0, '/usr/lib/python3*/turtledemo',
        '/usr/share/doc/python3*/examples' ],
    [ python => qr/\.py$/, 1, '/usr/lib/python3.*' ],
    [ javascript => qr/\.js$/, 0, '/usr/share/doc/*/examples',
        '/usr/share/doc/nodejs*' ],
    [ c => qr/\.c$/, 0, '/usr/share/doc/*/examples',
        '/usr/share/doc/*/contrib' ],
    [ cpp => qr/\.(?:cc|cpp|cxx)$/, 0, '/usr/share/doc/*/examples' ],
    [ cpp => qr/\.(?:cc|cpp|cxx)$/, 1, '/usr/src/googletest',
        '/usr/src/rustc-*/src/test' ],
    [ rust => qr/\.rs$/, 0, '/usr/src/rustc-*/src/test/ui/[a-c]*',
        '/usr/share/cargo/registry/*/examples' ],
    [ rust => qr/\.rs$/, 1, '/usr/src/rustc-*/src/test/ui' ],
);

# What a program that is not counted has in one of its lines.
my %NETWORK = (
    python => qr/^\s*(?:import|from)\s(?:.*\W)?(?:_?socket|_?ssl|socketserver
        |asyncore|asynchat|http\.(?:client|server)|urllib\.request|urllib2
        |urllib\s+import\s+request|(?:http|ftp|smtp|pop|imap|nntp|telnet)lib
        |http\s+import\s+(?:client|server)|xmlrpc|smtpd|requests
        |wsgiref)\b
        |asyncio\.(?:open_connection|start_server|open_unix|start_unix)
        |logging\.handlers|\bcdll\b|\bCDLL\b|CFUNCTYPE|_ctypes\b
        |\bctypes\.(?:util|pythonapi|pydll|windll|WinDLL|LibraryLoader)
        |_imp\b|\bimp\b
        |ExtensionFileLoader|enable_load_extension|load_dynamic/mx,
    javascript => qr/["'](?:node:)?(?:https?|http2|net|tls|dgram|dns)["']
        |(?<![.\w])fetch\(|new\ WebSocket|process\.(?:binding|dlopen)
        |["'](?:node:)?inspector["']/mx,
    c => qr/\b(?:dlopen|dlsym|socket|getaddrinfo|gethostby\w+|ptrace)\s*\(
        |<(?:dlfcn|netdb|sys\/ptrace)\.h>|curl\/
        |\b(?:__)?asm(?:__)?\s+(?:volatile|__volatile__)?|\basm\s*\(
        |PROT_EXEC|weakref|\b(?:unshare|setns|perf_event_open)\b/mx,
    rust => qr/\b(?:TcpStream|TcpListener|UdpSocket|ToSocketAddrs)\b
        |\basm!|global_asm|::asm\b/mx,
);
my %MORE = (
    python => qr/\bsubprocess\b|\bmultiprocessing\b|ProcessPool
        |\b(?:os|posix)\.(?:system|popen|fork|exec\w*|spawn\w*)\b
        |^\s*(?:import|from)\s(?:.*\W)?(?:pty|webbrowser|pip|venv|runpy|codeop
        |importlib|imp|zipimport|_testcapi|_testinternalcapi|distutils|code
        |ensurepip|_xxsubinterpreters)\b
        |(?<![.\w])(?<!def\ )(?:eval|exec|compile|__import__)\s*\(
        |(?<![.\w"'])(?:eval|exec|compile|__import__)\s*[,)=\]]
        |\b(?:f_globals|f_back|f_builtins|_getframe|settrace|setprofile
        |__globals__|__builtins__|__subclasses__|__loader__|__spec__)\b
        |\bgc\.get_|__code__\s*[.=]|__self__|load_module|find_spec
        |exec_module|\bTcl\b|\b(?:FunctionType|CodeType)\(
        |getattr\((?:os|builtins),|breakpoint|\bpdb\.|\.__class__
        |_current_frames|builtins\.__dict__|py_object|meta_path|path_hooks
        |importer_cache|\bbdb\b|InteractiveConsole|pydoc/mx,
    javascript => qr/child_process|["'](?:node:)?(?:vm|repl|cluster|module)["']
        |(?<![.\w])eval\(|\bFunction\(|_load|mainModule|require\([^"'`]
        |require\(`|import\([^"']|\bglobal(?:This)?\[/mx,
    c => qr/\b(?:system|popen|v?fork|exec[lv]\w*|posix_spawn\w*|syscall
        |daemon|wordexp)\s*\(|<spawn\.h>|\bsyscall\b/mx,
    rust => qr/\bprocess::(?:\{[^}]*)?Command|\bCommandExt\b|process::\*
        |extern\s*(?:"[^"]*"\s*)?\{|os::\w+::process|\bCommand::/mx,
);
$NETWORK{cpp} = $NETWORK{c};
$MORE{cpp} = $MORE{c};

for my $path (sort glob top() . '/t/validators/honest/*.txt') {
    my ($language) = $path =~ m{([^/]+)\.txt$};
    for my $level (sort keys %AT_MOST) {
        my @blocks = blocks($path);
        $_->{level} = $level for @blocks;
        my @refused = grep { $_->{found}{verdict} ne 'passes' }
            lint_blocks($language, @blocks);
        is(join('; ', map { "$_->{name}: @{ $_->{found}{rules} }" } @refused),
            '', scalar(@blocks) . " programs of our own, $language, $level");
    }
}

my %ends = (python => 'py', javascript => 'js', c => 'c', cpp => 'cpp',
    rust => 'rs');
for my $language (sort keys %ends) {
    my @files = glob top() . "/playground/src/examples/$language/*/*";
    my $found = lint($language, 'standard',
        grep { /\.(?:$ends{$language}|h)$/ } @files);
    my @refused = grep { $found->{$_}{verdict} ne 'passes' }
        sort keys %{$found};
    cmp_ok(scalar keys %{$found}, '>', 3, "the playground's $language");
    is("@refused", '', 'pass');
}

for my $level (sort keys %AT_MOST) {
    my ($counted, $refused, $aside, %seen) = (0, 0, 0);
    for (@DEBIAN) {
        my ($language, $end, $long, @patterns) = @{$_};
        next if $long && !$ENV{CODR_LONG};
        my @all = grep { !$seen{$_}++ } files($end, map { glob $_ } @patterns);
        my @files = grep { is_ordinary($language, $level, $_) } @all;
        $aside += @all - @files;
        my $found = lint($language, $level, @files);
        my @wrong = grep { ($found->{$_}{verdict} // '') ne 'passes' } @files;
        note("$language, $level: ", scalar(@files), ' of ', scalar(@all),
            ' files counted');
        diag("$language, $level: $_: $found->{$_}{verdict}",
            " @{ $found->{$_}{rules} }") for @wrong;
        $counted += @files;
        $refused += @wrong;
    }
    SKIP: {
        skip("only $counted programs of Debian are here", 1)
            if $counted < 100;
        # of so few as a machine may have, one is no share yet
        cmp_ok($refused, '<=', ceil($AT_MOST{$level} * $counted),
            "$level refuses $refused of $counted ordinary programs"
            . " ($aside do what it refuses)");
    }
}

done_testing();

sub files {
    my ($end, @directories) = @_;
    my %files;
    my %directories = map { abs_path($_) => 1 } @directories;
    find({ no_chdir => 1, wanted => sub {
        $files{$_} = 1 if $_ =~ $end && -f $_ && -s _ <= $LARGEST;
    } }, keys %directories) if @directories;
    return sort keys %files;
}

sub is_ordinary {
    my ($language, $level, $path) = @_;
    my $text = slurp($path);
    return $text !~ $NETWORK{$language}
        && ($level eq 'light' || $text !~ $MORE{$language});
}
