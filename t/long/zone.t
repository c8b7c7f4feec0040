# A zone of the least size that tickets, running jobs and values of limits have
# filled up, all at once: what needs room is refused, everything else goes on;
# and it is taken again when tickets have expired, jobs have ended, and buckets
# are full, without anybody's doing.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slow spew wait_until);
use Codr::Nginx;
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
use Test::More;

need(qw(module helper));

my $LASTS = 20 * slow();    # seconds of a ticket, and of an empty bucket
my $JOBS  = 100;            # at most, to fill it

my $dir = Codr::Nginx::dir();
my $secret = 'x' x 32;
spew("$dir/ticket.key", $secret);
chmod 0640, "$dir/ticket.key";
my $nginx = Codr::Nginx->new(dir => $dir, languages => 0, workers => 2,
    http => <<"CONF", server => <<"CONF2");
codr_zone codr:512k;
codr_max_jobs $JOBS batch=$JOBS;
codr_ticket_key_file $dir/ticket.key;
codr_language sh { source main.sh; run /bin/sh \$source; }
codr_language gone { source main.sh; run /usr/bin/no-such \$source; }
CONF
location = /ticket { codr_exec; codr_auth ticket; }
location = /value {
    codr_exec;
    codr_limit_jobs \$http_x_user rate=@{[ 3600 / $LASTS ]}/h burst=1;
}
location = /metrics { codr_status; }
CONF2
ok($nginx->ready, 'the server is ready');

my $serial = 0;

sub answer_of {
    my ($answer) = @_;
    return $answer->{json}{status} // $answer->{json}{code} // 'nothing';
}

sub with_ticket {
    my ($language) = @_;
    my $text = join '.', map { encode_base64url(Codr::Client::encode($_)) }
        { alg => 'HS256' }, { job_id => 'j' . ++$serial, jti => "n$serial",
            iat => time, exp => time + $LASTS };
    return answer_of($nginx->post('/ticket', { language => $language,
        job_id => "j$serial", code => 'echo on', job_token => "$text."
            . encode_base64url(hmac_sha256($text, $secret)) }));
}

sub with_value {
    my ($language, $value) = @_;
    return answer_of($nginx->post('/value', { language => $language,
        code => 'echo on' }, headers => ["X-User: $value"]));
}

sub room {
    my ($bytes) = $nginx->get('/metrics')->{body}
        =~ /^codr_zone_free_bytes (\d+)/m;
    return $bytes;
}

my $room = room();
cmp_ok($room, '>', 100_000, 'there is room');

# One of each that goes on.
my $keep = $nginx->ws;
$keep->execute(language => 'sh', code => 'read x; echo $x');
$keep->wait_for('stage');

# Those that run first: what tickets leave of a page may be a record's.
my (@clients, $said);
for (1 .. $JOBS / 2) {
    push @clients, $nginx->ws;
    $clients[-1]->execute(language => 'sh', code => 'echo on; read x');
    $clients[-1]->expect(qr/on/, 20);
}
for (1 .. 20_000) {
    $said = with_ticket('none');
    last if $said ne 'unknown_language';
}
is($said, 'unauthorized', "after $serial tickets no other one is good");
for (1 .. $JOBS / 2) {
    push @clients, $nginx->ws;
    $clients[-1]->execute(language => 'sh', code => 'echo on; read x');
    my $answer = $clients[-1]->wait_for(qr/^(?:output|error)$/, 20);
    $said = $answer->{code} // $answer->{type};
    last if $said ne 'output';
}
is($said, 'unavailable', 'nor is there room for a job');
my $values = 0;
$said = '';
while ($said ne 'rate_limited' && $values < 5000) {
    $said = with_value('gone', 'v' . ++$values);
}
is($said, 'rate_limited', "nor for a value, after $values");
cmp_ok(room(), '<', $room / 4, 'it is full');

# Beside it all goes on.
is($nginx->get('/languages')->{status}, 200, 'languages are told');
is($nginx->get('/status')->{status}, 200, 'it is healthy');
$keep->input("done\n");
my $job = $keep->finish(30);
is("$job->{status} $job->{stdout}", "ok done\r\n", 'a job comes to its end');

# What made it full goes, each in its way.
$clients[0]->input("\n");
is($clients[0]->finish(30)->{status}, 'ok', 'those that ran end well');
$_->drop for @clients;
ok(wait_until(30, sub {
    answer_of($nginx->post('/run', { language => 'sh', code => 'echo on' }))
        eq 'ok';
}), 'when jobs have ended there is room for jobs');
ok(wait_until($LASTS, sub { with_ticket('sh') eq 'ok' }),
    'when tickets have expired, for tickets');
ok(wait_until($LASTS, sub { with_value('sh', 'late') eq 'ok' }),
    'when buckets are full again, for values');
is(with_value('sh', 'late'), 'rate_limited', 'of which each has its own');
ok(wait_until(20, sub { !$nginx->job_processes }), 'no process is left');

my $times = () = $nginx->log =~ /the zone of codr_zone is full/g;
cmp_ok($times, '<=', 2, 'the log says it once, or once each time');
$nginx->finish;
done_testing();
