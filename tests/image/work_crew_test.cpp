// Who is helped by the crew, and who has to wait for idle threads.
#include "image/work_crew.h"

#include <doctest/doctest.h>

#include <atomic>

using namespace imgmill;

namespace {

class Helped final : public WorkCrew::Member {
 public:
  Helped(WorkCrew& crew, bool only_idle) : crew_(crew), only_idle_(only_idle) { crew_.Join(); }
  ~Helped() { crew_.Leave(*this); }
  void Help() override {
    overfull = crew_.IsOverfull();
    ++helps;
    helps.notify_all();
  }
  bool wants_only_idle() const override { return only_idle_; }

  std::atomic<int> helps = 0;
  std::atomic<bool> overfull = false;

 private:
  WorkCrew& crew_;
  const bool only_idle_;
};

}  // namespace

TEST_CASE("idle are the threads that neither members nor the caller have") {
  WorkCrew crew;
  crew.SetThreads(3);
  CHECK(crew.Idle() == 2);
  {
    const Helped one(crew, true);
    CHECK(crew.Idle() == 1);
    const Helped two(crew, true), three(crew, true), four(crew, true);
    CHECK(crew.Idle() == 0);
  }
  CHECK(crew.Idle() == 2);
}

TEST_CASE("whoever wants one is helped in a busy process, whoever wants only idle ones once there is one") {
  WorkCrew crew;
  crew.SetThreads(2);
  Helped patient(crew, true);
  {
    Helped other(crew, false);
    crew.Call(patient);  // both threads are taken
    crew.Call(other);    // and is not held up by that
    other.helps.wait(0);
    CHECK(other.overfull);
    CHECK(patient.helps == 0);
  }
  patient.helps.wait(0);  // the call is answered as the other leaves
  CHECK_FALSE(patient.overfull);
  CHECK(patient.helps == 1);
}

TEST_CASE("a call that nobody has answered is forgotten when its member leaves") {
  WorkCrew crew;
  crew.SetThreads(1);
  {
    Helped alone(crew, true);
    crew.Call(alone);
    CHECK(alone.helps == 0);
  }
  Helped next(crew, false);
  crew.Call(next);
  next.helps.wait(0);
  CHECK(next.helps == 1);
}
