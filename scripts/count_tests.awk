#!/usr/bin/awk -f
# Counts the test cases in one test program's output: prints "passed failed skipped".
# Set -v status= to the program's exit code.
#
# Reads doctest's summary line; of a test script, a last line "N passed, N failed[, N skipped]"; where there is
# neither, the exit code: one case, passed at 0, skipped at 77. A program that died, or that failed although its
# summary counts no failure (a leak found at exit, say), is one failed case more. Of a part of a program's cases, doctest's
# summary counts them all: those that ran are those whose seconds stand in the output.

# doctest names a case before the first message from it.
/^TEST CASE:/ { test_case = $0 }
/SKIPPED:/ { if (!(test_case in skipped_cases)) { skipped_cases[test_case] = 1; skipped_messages++ } }
/^[0-9.]+ s: / { timed++ }
/^\[doctest\] test cases:/ {
  split($0, part, "|")
  split(part[2], number, " "); passed = number[1]
  split(part[3], number, " "); failed = number[1]
  # A case that says it is skipped counts as passed in doctest's own sum.
  skipped = skipped_messages; passed = (timed ? timed - failed : passed) - skipped
  found = 1
}
/^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ {
  passed = $1; failed = $3; skipped = $5 + 0
  found = 1
}
END {
  if (!found) { passed = (status == 0); skipped = (status == 77); failed = !passed && !skipped }
  else if (status != 0 && failed == 0) failed = 1
  print passed + 0, failed + 0, skipped + 0
}
