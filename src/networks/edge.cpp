#include "networks/edge.h"

#include <atomic>
#include <exception>
#include <new>

#include "imgmill/memory/out_of_memory.h"

namespace imgmill {

Error TranslateStandard(Stage stage) {
  try {
    throw;
  } catch (const OutOfMemory& error) {
    return {stage, Code::kOutOfMemory, error.what()};
  } catch (const std::bad_alloc&) {
    return {stage, Code::kOutOfMemory, "the system refused memory"};
  } catch (const std::exception& error) {
    return {stage, Code::kModelError, error.what()};
  } catch (...) {
    return {stage, Code::kModelError, "an exception of unknown type"};
  }
}

namespace {

std::atomic<ExceptionTranslator> translate = &TranslateStandard;

}  // namespace

void TranslateBy(ExceptionTranslator translator) noexcept {
  translate = translator;
}

Error TranslateException(Stage stage) noexcept {
  try {
    return translate.load()(stage);
  } catch (...) {  // not even memory for the message
    return {stage, Code::kOutOfMemory, {}};
  }
}

}  // namespace imgmill
