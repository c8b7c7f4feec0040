# Without root: the same helper in a user namespace.  The tests of limits and
# containment and the probe bench once more, as nobody, from a copy of its own.

use strict;
use warnings;

use Codr::Host qw(build need slow top);
use Codr::Nginx;
use Test::More;

need(qw(root user module helper probes /usr/bin/setpriv));

my $namespaces = '/proc/sys/user/max_user_namespaces';
plan(skip_all => 'this kernel gives nobody a user namespace')
    if !Codr::Host::slurp($namespaces) || system('setpriv --reuid nobody '
        . '--regid nogroup --clear-groups unshare -U true 2>/dev/null') != 0;

my $copy = Codr::Nginx::dir();
my ($top, $build) = (top(), build());
my $files = join ' ', map {"'$_'"} grep { -f }      # nginx may have it in it
    "$build/codr-sandboxd", "$build/ngx_http_codr_module.so";
my $seconds = int(70 * slow());
system("cd '$top' && cp -a conf t sandbox '$copy' && "
    . "mkdir -p '$copy/build/t/sandbox' '$copy/tmp' && "
    . "cp $files '$copy/build' && "
    . "cp '$build/t/sandbox'/probe_* '$copy/build/t/sandbox' && "
    . "chown -R nobody '$copy'") == 0 or die;

for my $test (qw(limits containment bench)) {
    open my $out, '-|', "cd '$copy' && TMPDIR='$copy/tmp' "
        . "CODR_BUILD='$copy/build' setpriv --reuid nobody --regid nogroup "
        . "--clear-groups timeout $seconds perl -It/lib t/sandbox/$test.t 2>&1"
        or die;
    while (my $line = <$out>) {
        chomp $line;
        if ($line =~ /^(not )?ok \d+ - (.*)/) {
            ok(!$1, "nobody: $2");
        } elsif ($line =~ /^ok \d+ # skip (.*)/) {
            SKIP: { skip "nobody: $1", 1 }
        } elsif ($line =~ /^#/) {
            diag($line);
        }
    }
    close $out;
    is($? >> 8, 0, "$test ends well without root");
}

done_testing();
