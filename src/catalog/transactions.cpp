// When the catalog's transactions begin and end: many puts, or many look-ups, share one.
#include <new>

#include "base/try.h"
#include "catalog/catalog_impl.h"

namespace imgmill {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kCommitAfter = std::chrono::milliseconds(500);
constexpr int kPutsPerCommit = 1000;

// What is read in one transaction is what was there when it began, and a log that is read from is not cut
// back. So it ends after some milliseconds of look-ups, and soon if no more follow.
constexpr auto kReadFor = std::chrono::milliseconds(20);
constexpr int kLooksPerRead = 256;

}  // namespace

Status Catalog::Impl::Begin() {
  last_file.is_there = false;
  if (!failed) return failed;
  // One that has read cannot always go on to write: somebody may have written since.
  EndReading();
  if (database.InTransaction()) return {};
  puts = 0;
  names.clear();  // what a transaction that failed had put is not there
  Statement::Use use(begin);
  Status begun = Ran(use, "begin a transaction");
  writing = begun.ok();
  return begun;
}

Status Catalog::Impl::Commit() {
  puts = 0;
  if (!writing || !database.InTransaction()) return failed;
  Status status;
  {
    Statement::Use use(commit);
    status = Ran(use, "commit");
  }
  if (!status && database.InTransaction()) {
    Statement::Use use(rollback);
    Status undone = Ran(use, "roll back");
  }
  writing = database.InTransaction();
  return status;
}

void Catalog::Impl::BeginReading() {
  if (Reading() && ++looks >= kLooksPerRead) EndReading();
  if (database.InTransaction()) return;
  onward.reset();
  writing = false;  // SQLite may have rolled back by itself
  Statement::Use use(begin_reading);
  if (use.Step() != SQLITE_DONE) return;  // the look-up has one of its own then, or says what is wrong
  looks = 0;
  first_look = Clock::now();
  if (idle) changed.notify_one();
}

void Catalog::Impl::EndReading() {
  onward.reset();
  if (!Reading()) return;
  last_file.is_there = false;
  Statement::Use use(rollback);  // of nothing
  use.Step();
}

Status Catalog::Impl::CountPut() {
  if (++puts >= kPutsPerCommit) return Commit();
  if (puts == 1) {
    first_put = Clock::now();
    changed.notify_one();
  }
  return {};
}

std::optional<Clock::time_point> Catalog::Impl::Due() const {
  if (Reading()) return first_look + kReadFor;
  if (puts > 0) return first_put + kCommitAfter;
  return std::nullopt;
}

/// Ends what nobody ends because no put and no look-up comes.
void Catalog::Impl::CommitInBackground() {
  std::unique_lock lock(mutex);
  while (!closing) {
    const std::optional<Clock::time_point> due = Due();
    if (!due) {
      idle = true;
      changed.wait(lock);
      idle = false;
    } else if (Clock::now() < *due) {
      changed.wait_until(lock, *due);
    } else if (Reading()) {
      EndReading();
    } else {
      try {
        Status committed = Commit();     // remembered: the next put or Flush tells
      } catch (const std::bad_alloc&) {  // for its error's text: the next put or Flush tries again
        changed.wait_until(lock, Clock::now() + kCommitAfter);
      }
    }
  }
}

}  // namespace imgmill
