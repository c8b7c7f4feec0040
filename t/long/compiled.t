# A job that is stopped between the end of its compiler and the end of that
# one's sandbox, which the spawner has to say where no place is free.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Codr::Phases qw(role stop_process);
use Test::More;

need(qw(plain root module helper));

# A number for the helper, and one for a job.
package OnePlace {
    our @ISA = ('Codr::Nginx');
    sub _uids { return $_[0]->uid_base . ' 2' }
}

my $nginx = OnePlace->new(languages => 0, http => <<'END');
codr_language slow {
    source main.slow; compile /bin/sh main.slow $program; run $program;
}
END
ok($nginx->ready, 'a server with one place');

my $code = <<'END';
cp /bin/true "$1"
sleep 3
END

sub compiles {
    return grep { slurp("/proc/$_/comm") eq "sh\n" } $nginx->job_processes;
}

# What becomes of it; what is done meanwhile.
sub compiled {
    my ($do) = @_;
    my $ws = $nginx->ws;
    $ws->execute(language => 'slow', code => $code . "# $do\n");
    ok(wait_until(20, \&compiles), 'it is compiled');
    my $spawner = role($nginx, 'spawner');
    stop_process($spawner);
    my $over = compiles() && wait_until(20, sub { !compiles() });
    ok($over, 'its compiler ends');
    $ws->send(type => $do);
    $ws->send(type => 'signal', signal => 'SIGTERM');
    ok($ws->wait_for('notice', 20), 'the broker has heard of that');
    kill CONT => $spawner;
    return $ws->finish(30);
}

is(compiled('ping')->{status}, 'ok', 'it runs, when nobody stops it');
is(compiled('stop')->{status}, 'stopped', 'and does not, when somebody does');

$nginx->finish;
done_testing();
