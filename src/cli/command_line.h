// From argv to an exit code.
#pragma once

namespace imgmill {

int RunCommandLine(int argc, char** argv);

}  // namespace imgmill
