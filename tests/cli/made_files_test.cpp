// The last line of a pipeline's run: what became of the files that each step has made. By hand.
#include "cli/pipeline/made_files.h"

#include <doctest/doctest.h>

using namespace imgmill;

namespace {

CommandResult Step(uint64_t dropped, uint64_t failed = 0, bool interrupted = false) {
  CommandResult result;
  result.dropped = dropped;
  result.counts.failed = failed;
  result.counts.interrupted = interrupted;
  return result;
}

}  // namespace

TEST_CASE("each step's files are counted, and those that later steps drop or fail at are taken off them") {
  MadeFiles made;
  made.Take(Step(3));  // of the images themselves
  CHECK(made.Text() == "");
  made.Add("frames", 31);
  CHECK(made.Text() == "; frames made 31 files from them");
  made.Take(Step(7));
  made.Take(Step(7, 1));
  CHECK(made.Text() == "; frames made 31 files from them: 16 kept, 14 dropped, 1 failed");
  made.Take(Step(0));
  made.Add("tile", 68);
  made.Take(Step(0));
  made.Add("upscale", 1);
  made.Take(Step(1));
  CHECK(made.Text() ==
        "; frames made 31 files from them: 16 kept, 14 dropped, 1 failed; tile made 68 files from those; "
        "upscale made 1 file from those: 0 kept, 1 dropped");
  CHECK(made.dropped() == 15);
}

TEST_CASE("where a step was stopped, not all files were seen: nothing is said of what is kept") {
  MadeFiles made;
  made.Add("tile", 10);
  made.Take(Step(2, 0, /*interrupted=*/true));
  CHECK(made.Text() == "; tile made 10 files from them");
}
