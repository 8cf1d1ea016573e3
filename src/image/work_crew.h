// Threads that all images in work share for what can be done in parallel within one: a large image alone
// gets all cores, and many at once are not in each other's way.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace imgmill {

/// The crew helps those whose threads wait for nothing but work of this kind, and who do their own work if
/// no help comes. So as many help as there are threads that no member has, but always one, for members that
/// want one however busy the process is.
class WorkCrew {
 public:
  /// One image's work. It is known to the crew from Join to Leave.
  class Member {
   public:
    /// Does what there is to do now, on a thread of the crew. Must not throw.
    virtual void Help() = 0;
    /// Whether it wants help only from threads that no member has.
    virtual bool wants_only_idle() const { return false; }

   protected:
    ~Member() = default;
  };

  /// The one of the process.
  static WorkCrew& Get();
  WorkCrew() = default;
  ~WorkCrew();
  WorkCrew(const WorkCrew&) = delete;
  WorkCrew& operator=(const WorkCrew&) = delete;

  /// Threads of the process that work on images, the members' own counted: -j. 0: one a core.
  void SetThreads(int threads);
  int threads() const;
  /// Of these, how many neither the caller, who is no member yet, nor any member has.
  int Idle() const;
  /// Whether there are more helpers than threads that no member has: who wants only idle ones, and is helped,
  /// lets the helper go.
  bool IsOverfull() const;

  void Join();
  /// Asks for Help once. Whether and when it comes is open: no thread may be free, or none to be had.
  void Call(Member& member);
  /// Calls that nobody has answered are forgotten. Returns once nobody helps this member any more.
  void Leave(Member& member);

 private:
  void Work();
  // Under mutex_.
  int All() const;
  size_t Unused() const;
  size_t MayHelp(const Member& member) const;
  /// The oldest call that may be answered now.
  std::deque<Member*>::iterator NextCall();
  void StartThread();

  mutable std::mutex mutex_;
  std::condition_variable called_;
  std::condition_variable helped_;
  std::deque<Member*> calls_;
  std::vector<Member*> helping_;  ///< whom the threads at work help
  std::vector<std::thread> threads_;
  size_t members_ = 0;
  int wanted_ = 0;
  bool over_ = false;
};

}  // namespace imgmill
