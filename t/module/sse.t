# A POST that wants events: the messages of a WebSocket, one by one.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need wait_until);
use Codr::Nginx;
use Test::More;

need(qw(module helper));

my $nginx = Codr::Nginx->new(http => <<'CONF', server => <<'CONF2');
    codr_language sh { source main.sh; run /bin/sh $source; timeout 60s;
        env_live WATCHED=yes; }
    codr_language shc { source main.sh; compile /bin/sh $source $program;
        run $program; }
CONF
    location = /big { codr_exec; codr_output 8m; }
    location = /keyed { codr_exec; codr_auth ticket; }
CONF2
ok($nginx->ready, 'the helper is up');

sub start {
    my ($message, %o) = @_;
    my $client = Codr::Client->connect(port => $nginx->port);
    $client->send_request(method => 'POST', path => $o{path} // '/run',
        body => Codr::Client::encode({ language => 'sh', %{$message} }),
        headers => [ 'Content-Type: application/json',
            'Accept: ' . ($o{accept} // 'text/event-stream') ]);
    return $client;
}

# Type and message of each event.
sub events {
    my ($answer) = @_;
    my @events;
    for (split /\n\n/, $answer->{body}) {
        my ($type, $data) = /^event: (\w+)\ndata: ([^\n]*)$/
            or die "not an event: $_";
        push @events, { %{ Codr::Client::decode($data) }, event => $type };
    }
    return @events;
}

subtest 'a job' => sub {
    my $answer = start({ code => 'echo out $WATCHED; echo err >&2; exit 3',
        tag => 'x' })->answer(30);
    is($answer->{status}, 200, 'an answer');
    is($answer->{headers}{'content-type'}, 'text/event-stream', 'its type');
    is($answer->{headers}{'cache-control'}, 'no-store', 'nobody keeps it');
    my @events = events($answer);
    is($_->{event}, $_->{type}, "the event is the type: $_->{type}")
        for @events;
    is($events[0]{type}, 'started', 'started is the first');
    is($events[1]{stage}, 'run', 'then a stage');
    my %out;
    $out{ $_->{stream} } .= $_->{data}
        for grep { $_->{type} eq 'output' } @events;
    is($out{stdout}, "out yes\n", 'stdout, of a program that is watched');
    is($out{stderr}, "err\n", 'stderr');
    is($events[-1]{type}, 'complete', 'complete is the last');
    is($events[-1]{exit_code}, 3, 'with the exit code');
    is($events[-1]{tag}, 'x', 'and the tag');
};

subtest 'as it happens' => sub {
    my $client = start({ code => 'echo one; sleep 60' });
    ok(wait_until(20, sub { $client->fill(0.1); $client->{buf} =~ /one/ }),
        'output comes before the end');
    $client->drop;
    ok(wait_until(20, sub { !$nginx->job_processes }),
        'who leaves ends the program');
};

subtest 'other ends' => sub {
    my @events = events(start({ language => 'shc',
        code => 'echo broken >&2; exit 1' })->answer(30));
    is($events[-1]{event}, 'error', 'an error is an event');
    is($events[-1]{code}, 'compile_error', 'that of the compiler');
    like($events[-1]{compile}{output}, qr/broken/, 'with its words');
    for ([ { language => 'none' }, 400, 'unknown_language' ],
        [ { code => 'echo', limits => { wall_time => -1 } }, 400,
            'bad_message' ])
    {
        my $answer = start({ code => '', %{ $_->[0] } })->answer(30);
        is("$answer->{status} $answer->{json}{code}", "$_->[1] $_->[2]",
            'what never began is a plain refusal');
    }
    is(start({ code => 'echo' }, path => '/keyed')->answer->{status}, 401,
        'as is a missing ticket');
    my $answer = start({ code => 'echo' },
        accept => 'application/json, text/event-stream')->answer(30);
    is($answer->{json}{stdout}, "\n", 'who takes JSON gets JSON');
};

subtest 'much' => sub {
    my $line = 'x' x 61;
    my $code = 'i=0; while [ $i -lt 40000 ]; do'
        . " echo \"\$i $line\"; i=\$((i + 1)); done";
    my $client = start({ code => $code }, path => '/big');
    my @events = events($client->answer(60));
    my $out = join '', map { $_->{data} }
        grep { $_->{type} eq 'output' } @events;
    is($out, join('', map { "$_ " . 'x' x 61 . "\n" } 0 .. 39999),
        'all of it comes, in order');
    is($events[-1]{status}, 'ok', 'to its end');
};

subtest 'over HTTP/2' => sub {
    plan skip_all => 'needs curl' unless -x '/usr/bin/curl';
    my $h2 = Codr::Nginx->new(listen => 'http2', http => <<'CONF');
    codr_language sh { source main.sh; run /bin/sh $source; }
CONF
    ok(wait_until(15, sub { my $said = `curl -s --http2-prior-knowledge \\
        http://127.0.0.1:@{[ $h2->port ]}/status`; $said =~ /"healthy"/ }),
        'the helper is up');
    my $said = `curl -s --http2-prior-knowledge \\
        -H 'Accept: text/event-stream' -H 'Content-Type: application/json' \\
        -d '{"language":"sh","code":"echo two"}' \\
        http://127.0.0.1:@{[ $h2->port ]}/run`;
    like($said, qr/event: started\n.*"data":"two\\n".*event: complete\n/s,
        'events come');
    $h2->finish;
};

$nginx->finish;

done_testing();
