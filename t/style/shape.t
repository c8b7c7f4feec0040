# The shape of the sources: sizes a reader can hold in the head, the layout
# every file shares, nothing left over.

use strict;
use warnings;

use Codr::Host qw(slurp top);
use Test::More;

my $top = top();
chdir $top or die "chdir: $!";

my $FILE_LINES     = 700;
my $HEADER_LINES   = 150;
my $FUNCTION_LINES = 100;
my $MEDIAN_LINES   = 20;
my $COLUMNS        = 80;

# Headers that are one contract each and are read as a whole.
my %LONG_HEADER = map { $_ => 1 } qw(sandbox/codr_ipc.h sandbox/codr_proto.h
    module/ngx_http_codr.h);

my @sources = grep { -f && !m{^build/} }
    glob '{module,sandbox,shortcut,validators,zygotes}/*.[ch]
    validators/core/*.c playground/cli/*.[ch] t/unit/*.[ch] t/sandbox/*.c
    t/fuzz/*.[ch] t/fuzz/*/*.[ch] t/asan/*.c t/bench/*.[ch]';
my @scripts = (glob('t/*/*.t t/lib/Codr/*.pm t/run t/all t/table t/*/*.mk
    t/analyze/run t/fuzz/run t/fuzz/keep conf/run .ci/run conf/*.conf
    conf/*/*.conf'), qw(Makefile config config.m4));

# Functions as [name, first line, lines]: from a brace in column 0 that opens
# one to the brace in column 0 that closes it.
sub functions {
    my @lines = @_;
    my @found;
    for (my $i = 0; $i < @lines; $i++) {
        next if $lines[$i] ne '{';
        my ($name) = join(' ', @lines[($i > 6 ? $i - 6 : 0) .. $i - 1])
            =~ /.*?(\w+)\((?:[^()]|\([^()]*\))*\)\s*$/;
        my $end = $i;
        $end++ while $end < $#lines && $lines[$end] !~ /^\}/;
        push @found, [ $name // '?', $i + 1, $end - $i + 1 ];
        $i = $end;
    }
    return @found;
}

my (@long, @wide, @spaces, @left, @guards, @opening, @functions, @lengths);

for my $file (@sources, @scripts) {
    my $text = slurp($file);
    my @lines = split /\n/, $text, -1;
    pop @lines if @lines && $lines[-1] eq '';
    for my $n (1 .. @lines) {
        my $line = $lines[$n - 1];
        push @wide, "$file:$n" if length $line =~ s/\t/        /gr > $COLUMNS;
        push @spaces, "$file:$n" if $line =~ /[ \t]$/;
        push @left, "$file:$n" if $line =~ /\b(?:TO[D]O|FIX[M]E|XX[X])\b/;
        push @left, "$file:$n: #if 0" if $line =~ /^\s*#\s*if\s+0\b/;
        push @spaces, "$file:$n: tab" if $file =~ /\.[ch]$/ && $line =~ /\t/;
    }
    next if $file !~ /\.([ch])$/;
    my $kind = $1;
    my $most = $kind eq 'h' ? $HEADER_LINES : $FILE_LINES;
    push @long, "$file: " . @lines if @lines > $most && !$LONG_HEADER{$file};
    push @opening, $file if $text !~ m{\A\s*/\*[\s]};
    if ($kind eq 'h') {
        my ($guard) = $file =~ m{([^/]+)$};
        $guard = uc $guard =~ s/\./_/r;
        push @guards, $file
            if $text !~ /^#ifndef _?$guard(?:_INCLUDED_)?\n#define _?$guard/m;
        next;
    }
    for (functions(@lines)) {
        my ($name, $line, $length) = @{$_};
        push @lengths, $length if $file !~ m{^t/};
        push @functions, "$file:$line: $name, $length lines"
            if $length > $FUNCTION_LINES;
    }
}

sub none {
    my ($list, $name) = @_;
    is(join("\n", @{$list}), '', $name);
}

my @sorted = sort { $a <=> $b } @lengths;
my $median = @sorted ? $sorted[ @sorted / 2 ] : 0;

none(\@long, 'no file is too long to read');
none(\@functions, "no function has over $FUNCTION_LINES lines");
cmp_ok($median, '<=', $MEDIAN_LINES, 'the median function is short');
none(\@wide, "no line has over $COLUMNS columns");
none(\@spaces, 'no tabs in C, no spaces at ends of lines');
none(\@left, 'nothing is left over for later');
none(\@guards, 'every header is guarded by its name');
none(\@opening, 'every C file opens with what it is for');

done_testing();
