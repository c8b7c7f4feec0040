# CPython's own tests come out alike in clones of the zygote and in interpreters
# that were executed: those of what a program sees of its process.

use strict;
use warnings;

use Codr::Host qw(need wait_until);
use Codr::Nginx;
use JSON::PP qw(decode_json);
use Test::More;

need(qw(module helper root /usr/bin/python3));

my ($library) = glob '/usr/lib/python3.*/test/test_atexit.py';
plan skip_all => 'there are no tests of CPython (libpython3.11-testsuite)'
    unless $library;

# Outcomes of a module's tests, by name; what they print is not compared.
my $code = <<'END';
import json, os, sys, unittest

class Outcomes(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.of = {}
    def note(self, test, word):
        self.of[str(test)] = word
    def addSuccess(self, test):
        self.of.setdefault(str(test), 'ok')
    def addError(self, test, err):
        self.note(test, 'error')
    def addFailure(self, test, err):
        self.note(test, 'failure')
    def addSkip(self, test, reason):
        self.note(test, 'skip')
    def addExpectedFailure(self, test, err):
        self.note(test, 'expected')
    def addUnexpectedSuccess(self, test):
        self.note(test, 'unexpected')
    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.note(test, 'failure')

out = os.dup(1)
null = os.open('/dev/null', os.O_WRONLY)
os.dup2(null, 1)
os.dup2(null, 2)
result = Outcomes()
unittest.defaultTestLoader.loadTestsFromName(sys.argv[1]).run(result)
os.write(out, json.dumps(result.of).encode())
END

# Modules, and classes of those that take a minute.
my @modules = qw(test_atexit test_threadsignals test_sys test_thread
    test_threading_local test_fork1 test_wait3 test_wait4 test_gc test_random
    test_runpy test_fileio test_builtin test_posix
    test_signal.PosixTests test_signal.WakeupFDTests
    test_signal.PendingSignalsTests
    test_subprocess.POSIXProcessTestCase test_subprocess.RunFuncTestCase
    test_threading.ThreadTests test_threading.ThreadJoinOnShutdown
    test_threading.AtexitTests test_threading.InterruptMainTests);

# A clone has a user namespace of its own, where a uid that is not mapped is
# EINVAL before it is EPERM (docs/directives.md).
my $KNOWN = qr/^test_(?:user|group) .*POSIXProcessTestCase/;

my $block = <<'END';
    version /usr/bin/python3 --version;
    source main.py;
    run /usr/bin/python3 $source;
    processes 256;
    open_files 256;
END
my $nginx = Codr::Nginx->new(languages => 0, location => <<'L', http => <<"H");
codr_timeout 250s; codr_cpu_time 250s; codr_memory 512m; codr_disk 64m;
codr_output 16m;
L
codr_language python {
$block
    warm 2;
    zygote python;
    preload abc collections functools io json os random re threading time;
}
codr_language plain {
$block
}
H
$nginx->ready or BAIL_OUT($nginx->log);

sub outcomes {
    my ($language, $module) = @_;
    my $job = $nginx->post('/run', { language => $language, code => $code,
        args => ["test.$module"] }, timeout => 250)->{json};
    my $of = eval { decode_json($job->{stdout} // '') };
    diag("$module, $language: ", explain($job)) unless $of;
    return ($job->{path}, $of);
}

ok(wait_until(60, sub {
        ($nginx->post('/run', { language => 'python', code => '' })->{json}
            {path} // '') eq 'zygote' }), 'there is a zygote')
    or BAIL_OUT($nginx->log);

for my $module (@modules) {
    my ($path, $got) = outcomes('python', $module);
    my (undef, $want) = outcomes('plain', $module);
    is($path, 'zygote', "$module runs in a clone");
    my @differ = grep { !/$KNOWN/ }
        grep { ($got->{$_} // 'none') ne ($want->{$_} // 'none') }
        sort keys %{ { %{ $got // {} }, %{ $want // {} } } };
    ok($got && %{$got} && !@differ, "$module: "
            . scalar(keys %{ $got // {} }) . ' tests come out alike')
        or diag(map { "$_: clone " . ($got->{$_} // 'none') . ', executed '
            . ($want->{$_} // 'none') . "\n" } @differ);
}

$nginx->finish;
done_testing();
