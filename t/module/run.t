# `make run`: from a checkout that nginx's user cannot read, every installed
# language is shown, and Ctrl-C ends all of it.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(build leftovers need snapshot top wait_until);
use Codr::Nginx;
use POSIX ();
use Test::More;

need(qw(plain module helper));

my $before = snapshot();
my $copy = Codr::Nginx::dir();
my ($top, $build) = (top(), build());
system("cd '$top' && cp -a conf t '$copy' && mkdir '$copy/build' && "
    . "cp -a '$build/codr-sandboxd' '$build/codr-validator' "
    . "'$build/policies' '$build/ngx_http_codr_module.so' "
    . "'$copy/build' && mkdir '$copy/tmp' && chmod 755 '$copy/tmp' && "
    . "chmod 700 '$copy/conf' '$copy/t' '$copy/build'") == 0 or die;

# Each as root, and as somebody else when the test is root.
my @users = $> == 0 ? ('root', 'nobody') : (scalar getpwuid $>);
for my $user (@users) {
    my $port = Codr::Nginx::free_port();
    my (undef, undef, $uid, $gid) = getpwnam $user;
    system('chown', '-R', $user, $copy) == 0 or die if $> == 0;

    my $pid = open(my $out, '-|') // die "fork: $!";
    if ($pid == 0) {
        POSIX::setpgid(0, 0);
        if ($> == 0 && $uid) {
            ($(, $)) = ($gid, "$gid $gid");
            POSIX::setuid($uid);
        }
        @ENV{qw(PORT BUILD NGINX TMPDIR)} = ($port, 'build',
            Codr::Host::nginx(), "$copy/tmp");
        open STDERR, '>&', \*STDOUT;
        open STDIN, '<', '/dev/null';
        chdir '/';
        exec "$copy/conf/run" or POSIX::_exit(127);
    }

    my $text = '';
    local $SIG{ALRM} = sub { kill KILL => -$pid };
    alarm 90;
    while (my $line = <$out>) {
        $text .= $line;
        last if $line =~ /GET/;
    }
    like($text, qr/^codr is ready$/m, "$user: it gets ready");
    like($text, qr/Ctrl-C/, "$user: it serves") or diag($text);
    my @languages = $text =~ /^== (\w+)/mg;
    is("@languages", 'python javascript c cpp rust',
        "$user: every language is shown");
    my @missing = $text =~ /^== (\w+): not available/mg;
    my @good = $text =~ /^-- (ok), exit 0, /mg;
    is(@good + @missing, 5, "$user: every program ended well")
        or diag($text);
    like($text, qr/Your name\? Ada\n   Hello, Ada!/, "$user: with a dialogue");
    like($text, qr/not enforced|Not everything/i,
        "$user: what is not enforced is said") if $user ne 'root';

    my $answer = Codr::Client->request(port => $port, path => '/health');
    is($answer->{status}, 200, "$user: it goes on serving");
    kill INT => -$pid;
    my $rest = join '', <$out>;
    close $out;
    alarm 0;
    is($? >> 8, 0, "$user: Ctrl-C ends it") or diag($rest);
    is(join(' ', glob "$copy/tmp/*"), '', "$user: nothing is left of it");
}

is(join("\n", leftovers($before)), '', 'nor of anything else');
done_testing();
