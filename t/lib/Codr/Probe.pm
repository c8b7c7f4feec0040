package Codr::Probe;

# The probe bench: runs the programs of t/sandbox/probe_*.c in a job and
# outside, and compares what they say with the tables of t/sandbox/golden.
#
# A line of a table is "check | inside | outside | paths".  inside is what a
# job must get, "*" what is got outside, too, "~RE" what matches.  outside is
# "differs" where the control has to show another result (else the check proves
# nothing here, and is skipped with that as its reason), "same", or "-" where
# there is no control.  paths, if given, are the only ones the line is for; of
# several lines the last one that fits counts.  "name *" stands for every check
# that no line names; '' is nothing at all.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(build slurp top);
use Exporter qw(import);
use Test::More;

our @EXPORT_OK = qw(answers compare configuration outside program);

my $AT = '/opt/probe';

# Directives that bring the probes into jobs, as languages of their own.
sub configuration {
    my ($warm) = @_;
    my $from = build() . '/t/sandbox';
    $warm = $warm ? "warm $warm;" : '';
    return "codr_bind $from $AT;\n" . join '',
        map {"codr_language $_ { source main.txt; run $AT/$_; $warm }\n"}
        qw(probe_calls probe_net probe_view);
}

# A Python program that becomes the probe it is given.
sub program {
    return <<"END";
import os, signal, sys
for s in signal.SIGPIPE, signal.SIGXFSZ:
    signal.signal(s, signal.SIG_DFL)
os.execv("$AT/" + sys.argv[1], sys.argv[1:])
END
}

# Of what a probe printed: { check => result }; a check may come several times.
sub answers {
    my %answers;
    for (split /\r?\n/, $_[0] // '') {
        my $line = Codr::Client::decode($_);
        push @{ $answers{ $line->{check} } }, $line->{result}
            if ref $line eq 'HASH';
    }
    return { map { $_ => join '; ', sort @{ $answers{$_} } } keys %answers };
}

# What a probe says outside, as nobody or as who runs the test.
sub outside {
    my ($dir, $nobody, $probe, @groups) = @_;
    my @as = $nobody && $> == 0 ? qw(setpriv --reuid nobody --regid nogroup
        --clear-groups) : ();
    my $own = "$dir/control" . ($nobody ? '-nobody' : '');
    mkdir $own;
    chmod 0777, $own;
    open my $out, '-|', 'sh', '-c', 'cd "$0" && exec "$@"', $own, @as,
        build() . "/t/sandbox/$probe", '--control', @groups
        or die "probe: $!";
    local $/;
    return answers(scalar <$out>);
}

# The lines of a table that are for a path, by check.
sub golden {
    my ($table, $path) = @_;
    my %line;
    for (split /\n/, slurp(top() . "/t/sandbox/golden/$table")) {
        s/\s*#.*//;
        next if /^$/;
        my ($check, $inside, $outside, $paths) = split /\s+\|\s+/;
        next if $paths && !grep { $path =~ /^$_$/ } split ' ', $paths;
        $inside = '' if $inside eq "''";
        $line{$check} = { inside => $inside, outside => $outside };
    }
    return \%line;
}

# Checks by numbers are too many for a test each.
my $NUMBERED = qr/^(call|x32|int80|family) [\d*]+$/;

sub compare {
    my ($table, $path, $inside, $outside) = @_;
    my $line = golden($table, $path);
    my (%wrong, %count, %same);

    for my $check (grep { $_ ne 'end' } sort keys %{$inside}) {
        my $kind = $check =~ $NUMBERED ? $1 : '';
        my $wanted = $line->{$check} // $line->{ $check =~ s/ \S+$/ */r };
        my $why = _wrong($inside->{$check}, $outside->{$check}, $wanted);
        if ($kind) {
            $count{$kind}++;
            push @{ $wrong{$kind} }, "$check: $why" if $why;
        } else {
            ok(!$why, "$path: $check") or diag($why);
        }
        push @{ $same{$kind} }, $check
            if ($wanted->{outside} // '') eq 'differs'
            && ($outside->{$check} // '') eq $inside->{$check};
    }

    is(join(', ', @{ $wrong{$_} // [] }), '',
        "$path: $count{$_} of $_ are as the table says") for sort keys %count;
    is(join(', ', sort grep { !/\*$/ && !defined $inside->{$_} }
            keys %{$line}), '', "$path: $table: nothing was left out");
    for my $kind (sort keys %same) {
        my @checks = @{ $same{$kind} };
        SKIP: {
            skip "$path: outside it is the same: "
                . ($kind && @checks > 20 ? @checks . " of $kind"
                    : join ', ', @checks), 1;
        }
    }
}

# What is wrong with a result: inside, outside, the table's line; '' if nothing.
sub _wrong {
    my ($is, $control, $line) = @_;
    return "not in the table, and it said \"$is\"" if !$line;
    my $wanted = $line->{inside} eq '*' ? $control : $line->{inside};
    return "there is no control" if !defined $wanted;
    return "it said \"$is\", not \"$wanted\""
        if $wanted =~ /^~(.*)/ ? $is !~ /^(?:$1)$/ : $is ne $wanted;
    return "outside it said \"$control\""
        if $line->{outside} eq 'same' && ($control // $is) ne $is;
    return '';
}

1;
