// Threads are started when they are first needed, and wait until the process ends.
#include "work_crew.h"

#include <algorithm>
#include <system_error>

namespace imgmill {

WorkCrew& WorkCrew::Get() {
  static WorkCrew crew;
  return crew;
}

WorkCrew::~WorkCrew() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  called_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkCrew::SetThreads(int threads) {
  const std::lock_guard lock(mutex_);
  wanted_ = threads;
}

int WorkCrew::threads() const {
  const std::lock_guard lock(mutex_);
  return All();
}

int WorkCrew::All() const {
  return wanted_ > 0 ? wanted_ : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int WorkCrew::Idle() const {
  const std::lock_guard lock(mutex_);
  return std::max(0, All() - static_cast<int>(members_) - 1);
}

bool WorkCrew::IsOverfull() const {
  const std::lock_guard lock(mutex_);
  return helping_.size() > Unused();
}

size_t WorkCrew::Unused() const {
  return static_cast<size_t>(std::max(0, All() - static_cast<int>(members_)));
}

size_t WorkCrew::MayHelp(const Member& member) const {
  return std::max<size_t>(member.wants_only_idle() ? 0 : 1, Unused());
}

std::deque<WorkCrew::Member*>::iterator WorkCrew::NextCall() {
  return std::find_if(calls_.begin(), calls_.end(),
                      [this](const Member* member) { return helping_.size() < MayHelp(*member); });
}

/// One more where a call may be answered, and all threads that there are have work.
void WorkCrew::StartThread() {
  const size_t idle = threads_.size() - helping_.size();
  size_t most = 0;
  for (const Member* member : calls_) most = std::max(most, MayHelp(*member));
  if (calls_.size() <= idle || threads_.size() >= most) return;
  try {
    threads_.emplace_back([this] { Work(); });
  } catch (const std::system_error&) {  // fewer, or none, will do
  }
}

void WorkCrew::Join() {
  const std::lock_guard lock(mutex_);
  ++members_;
}

void WorkCrew::Call(Member& member) {
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(&member);
    StartThread();
  }
  called_.notify_one();
}

void WorkCrew::Leave(Member& member) {
  {
    std::unique_lock lock(mutex_);
    std::erase(calls_, &member);
    helped_.wait(lock,
                 [&] { return std::find(helping_.begin(), helping_.end(), &member) == helping_.end(); });
    std::erase(calls_, &member);  // a helper's own
    --members_;
    StartThread();
  }
  called_.notify_all();  // one more may help the others
}

void WorkCrew::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    called_.wait(lock, [&] { return over_ || NextCall() != calls_.end(); });
    if (over_) return;
    const auto call = NextCall();
    Member* const member = *call;
    calls_.erase(call);
    helping_.push_back(member);
    lock.unlock();
    member->Help();
    lock.lock();
    helping_.erase(std::find(helping_.begin(), helping_.end(), member));
    helped_.notify_all();
  }
}

}  // namespace imgmill
