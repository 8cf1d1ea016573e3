// What lies between a listed file and its lease: nothing is worked on that has not come through here.
#pragma once

#include <condition_variable>
#include <mutex>
#include <span>

#include "identify.h"
#include "job.h"

namespace imgmill {

/// The feeder's, but for OneLess.
class Entry {
 public:
  Entry(const EngineOptions& options, const EngineServices& services, std::span<Operation* const> operations,
        RunPlanner& planner);

  /// Items that all operations recall come back over; the rest with a lease, or with an error. Memory that is
  /// short for one file's header is that file's failure: the next may need less.
  Status Admit(Job& job);
  void WaitUntilIdle();
  /// An admitted item has its outcomes.
  void OneLess();

  const Identifier& identifier() const { return identifier_; }
  /// Why the run cannot go on at all.
  const Status& ended() const { return ended_; }

 private:
  Status AdmitInTurn(Job& job);
  /// Takes the item past the operations that the catalog answers.
  Status Recall(Job& job);
  /// Nothing has a lease yet: what recalled images do without is made for the first that is not. Its content
  /// is looked at here, so that a moved file does not count as one.
  Status PrepareFor(Job& job);
  /// In place of a lease, in a dry run.
  Status Plan(Job& job);
  /// For all operations at once; where that never fits, for the one that holds most.
  Status LeaseFor(Job& job);
  Status AdmitUnderLease(Job& job);

  const EngineOptions& options_;
  const EngineServices& services_;
  const std::span<Operation* const> operations_;
  RunPlanner& planner_;
  Identifier identifier_;
  bool prepared_;
  ItemCosts costs_;
  Status ended_;
  std::mutex in_flight_mutex_;
  std::condition_variable idle_;
  int in_flight_ = 0;  // admitted and not at their outcomes yet
};

}  // namespace imgmill
