"""How a teacher is fitted to drawings, and how a student learns from its teacher."""
